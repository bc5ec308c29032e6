/// What a person asks of a training run: DeepSpeed files and their meaning.
@NullMarked
package io.spillway.training.config;

import org.jspecify.annotations.NullMarked;
