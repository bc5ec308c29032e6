/// Plans of training jobs: what to train, how it is cut, where each piece runs and how long an
/// iteration takes.
@NullMarked
package io.spillway.planner;

import org.jspecify.annotations.NullMarked;
