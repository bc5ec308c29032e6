/// The space of configurations, its bounds and the search through it, beside the published
/// baselines.
@NullMarked
package io.spillway.planner.search;

import org.jspecify.annotations.NullMarked;
