/// Measured links from the tools that people use.
@NullMarked
package io.spillway.planner.importer;

import org.jspecify.annotations.NullMarked;
