/// What a job runs on: accelerators, nodes, links and clusters, with a library of accelerators and
/// a YAML form for clusters.
@NullMarked
package io.spillway.platform.hardware;

import org.jspecify.annotations.NullMarked;
