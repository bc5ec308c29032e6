/// Decoder-only language models from Hugging Face folders: shapes, rotary positions, the forward
/// pass on libtorch, a scalar twin of it in plain Java, tokenizers and chat templates.
@NullMarked
package io.spillway.models;

import org.jspecify.annotations.NullMarked;
