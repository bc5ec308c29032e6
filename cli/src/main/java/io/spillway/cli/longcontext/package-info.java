/// Commands of the long-context system.
@NullMarked
package io.spillway.cli.longcontext;

import org.jspecify.annotations.NullMarked;
