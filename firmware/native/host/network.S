// network.bin inside the program, under the names that ESP-IDF's EMBED_FILES gives it.
.section .rodata
.global _binary_network_bin_start
.global _binary_network_bin_end
_binary_network_bin_start:
.incbin "network.bin"
_binary_network_bin_end:
.section .note.GNU-stack, "", @progbits
