/// Locret on the JVM: long prompts in a fixed cache budget by trained retaining heads, with the
/// baselines beside them.
@NullMarked
package io.spillway.longcontext;

import org.jspecify.annotations.NullMarked;
