/// The memory side: caches, crossbars, prefetchers and DRAM, all on femtosecond time stamps.
@NullMarked
package io.spillway.simulator.memory;

import org.jspecify.annotations.NullMarked;
