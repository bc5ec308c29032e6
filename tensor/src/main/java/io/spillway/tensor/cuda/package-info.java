/// The part of NVIDIA's driver that libtorch does not offer: page-locked memory, copies on streams
/// of their own, events, and kernels compiled at run time. Bound by hand through the foreign
/// function interface, so nothing but the driver and NVRTC must be installed.
@NullMarked
package io.spillway.tensor.cuda;

import org.jspecify.annotations.NullMarked;
