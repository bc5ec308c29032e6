/// Commands that plan training jobs and measure clusters for it.
@NullMarked
package io.spillway.cli.planner;

import org.jspecify.annotations.NullMarked;
