/// Commands that train past GPU memory.
@NullMarked
package io.spillway.cli.training;

import org.jspecify.annotations.NullMarked;
