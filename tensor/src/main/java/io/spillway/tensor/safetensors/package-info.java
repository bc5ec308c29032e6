/// The safetensors format in plain Java: parsing, mapping and writing, without libtorch.
///
/// **Source:** the format description of github.com/huggingface/safetensors.
@NullMarked
package io.spillway.tensor.safetensors;

import org.jspecify.annotations.NullMarked;
