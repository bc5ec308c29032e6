/// Plans as the files that training frameworks and schedulers read.
@NullMarked
package io.spillway.planner.output;

import org.jspecify.annotations.NullMarked;
