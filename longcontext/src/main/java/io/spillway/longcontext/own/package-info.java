/// Our own small model: its vocabulary, its training and the recipe of the shipped weights.
@NullMarked
package io.spillway.longcontext.own;

import org.jspecify.annotations.NullMarked;
