/// Prompts: CLIP's tokenizer and text encoders.
@NullMarked
package io.spillway.diffusion.text;

import org.jspecify.annotations.NullMarked;
