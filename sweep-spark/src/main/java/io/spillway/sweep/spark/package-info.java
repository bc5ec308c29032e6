/// Sweeps on an Apache Spark cluster; the one place that knows Spark.
@NullMarked
package io.spillway.sweep.spark;

import org.jspecify.annotations.NullMarked;
