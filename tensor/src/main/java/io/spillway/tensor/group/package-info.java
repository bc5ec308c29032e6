/// Groups of processes that exchange tensors: Gloo between CPUs, NCCL between NVIDIA GPUs.
@NullMarked
package io.spillway.tensor.group;

import org.jspecify.annotations.NullMarked;
