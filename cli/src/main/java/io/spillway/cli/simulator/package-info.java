/// Commands that simulate cores and caches.
@NullMarked
package io.spillway.cli.simulator;

import org.jspecify.annotations.NullMarked;
