/// Measures real processes: links between ranks, compute under the ranks' own concurrency, and a
/// small GPT trained under tensor, pipeline and data parallelism, to hold predictions against.
@NullMarked
package io.spillway.planner.measure;

import org.jspecify.annotations.NullMarked;
