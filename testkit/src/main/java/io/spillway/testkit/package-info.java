/// What tests of every module share: seeded property tests and the real data beside the tree.
@NullMarked
package io.spillway.testkit;

import org.jspecify.annotations.NullMarked;
