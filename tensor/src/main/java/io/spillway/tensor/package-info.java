/// Tensors on the JVM: libtorch behind [TensorScope], devices, dtypes, shared memory, seeds.
///
/// Tensors and operators are used directly as `org.bytedeco.pytorch.Tensor` and
/// `org.bytedeco.pytorch.global.torch`; their lifetimes only through [TensorScope] and
/// [TensorHolder]. Everything that touches libtorch runs on platform threads, never on virtual
/// ones: its guards are thread-local.
@NullMarked
package io.spillway.tensor;

import org.jspecify.annotations.NullMarked;
