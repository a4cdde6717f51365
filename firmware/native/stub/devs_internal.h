// Stands in for the DeviceScript runtime's header of this name: only what chip/badge_front_end.c uses of it.
#pragma once

typedef struct devs_gc devs_gc_t;
typedef struct {
  devs_gc_t *gc;
} devs_ctx_t;

devs_ctx_t *devsmgr_get_ctx(void);
