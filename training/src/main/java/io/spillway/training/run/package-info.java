/// The training loop: the decoder in blocks, checkpoints, several processes, what is recorded.
@NullMarked
package io.spillway.training.run;

import org.jspecify.annotations.NullMarked;
