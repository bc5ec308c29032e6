/// Text, JSON lines and token files as packed, shuffled sequences of tokens.
@NullMarked
package io.spillway.training.data;

import org.jspecify.annotations.NullMarked;
