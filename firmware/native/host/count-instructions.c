// A plugin for QEMU's user-mode emulators that counts the instructions a program runs, exactly: for every write to standard output it says
// on standard error how many were run since the last one, as a decimal number on a line of its own.
// Of QEMU's plugin interface (version 1, docs/devel/tcg-plugins.rst) only what is used here is declared; Debian ships no header for it.
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
typedef struct qemu_info_t qemu_info_t;
typedef void (*translated_t)(qemu_plugin_id_t id, struct qemu_plugin_tb *block);
typedef void (*system_call_t)(qemu_plugin_id_t id, unsigned int cpu, int64_t number, uint64_t a1, uint64_t a2,
                              uint64_t a3, uint64_t a4, uint64_t a5, uint64_t a6, uint64_t a7, uint64_t a8);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, translated_t callback);
void qemu_plugin_register_vcpu_syscall_cb(qemu_plugin_id_t id, system_call_t callback);
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *block, int operation, void *counter,
                                              uint64_t amount);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);

#define QEMU_PLUGIN_INLINE_ADD_U64 0
#define STDOUT 1

__attribute__((visibility("default"))) int qemu_plugin_version = 1;

static uint64_t executed;
static uint64_t reported;
static int64_t write_number;

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *block) {
  (void)id;
  qemu_plugin_register_vcpu_tb_exec_inline(block, QEMU_PLUGIN_INLINE_ADD_U64, &executed,
                                           qemu_plugin_tb_n_insns(block));
}

static void system_call(qemu_plugin_id_t id, unsigned int cpu, int64_t number, uint64_t a1, uint64_t a2, uint64_t a3,
                        uint64_t a4, uint64_t a5, uint64_t a6, uint64_t a7, uint64_t a8) {
  (void)id, (void)cpu, (void)a2, (void)a3, (void)a4, (void)a5, (void)a6, (void)a7, (void)a8;
  if (number != write_number || a1 != STDOUT) return;
  fprintf(stderr, "%" PRIu64 "\n", executed - reported);
  reported = executed;
}

// Takes one argument: write=N, the number of the system call that writes.
__attribute__((visibility("default"))) int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info,
                                                               int argc, char **argv) {
  (void)info;
  if (argc != 1 || strncmp(argv[0], "write=", 6) != 0) return 1;
  write_number = strtoll(argv[0] + 6, NULL, 10);
  qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
  qemu_plugin_register_vcpu_syscall_cb(id, system_call);
  return 0;
}
