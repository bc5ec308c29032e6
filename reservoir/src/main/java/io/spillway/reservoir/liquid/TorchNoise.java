package io.spillway.reservoir.liquid;

import io.spillway.tensor.ComputeDevice;
import io.spillway.tensor.DType;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// [ReadNoise] for a batch of recordings on a device: the same hashes in whole numbers of 64 bits
/// whose lower half counts, so that every engine meets the same noise.
///
/// **Shapes:** one row a recording, one column a neuron.
final class TorchNoise {
  private static final long LOW = 0xFFFFFFFFL;

  private final Tensor low; // [batch, 1], halves of the seeds
  private final Tensor high;
  private final Tensor lane; // [1, neurons]
  private final int padded;
  private final Tensor counter; // [batch, 1]: numbers drawn so far

  TorchNoise(long seed, long first, int size, int neurons, int block, ComputeDevice device) {
    long[] lows = new long[size];
    long[] highs = new long[size];
    for (int k = 0; k < size; k++) {
      long s = ReadNoise.seed(seed, first + k);
      lows[k] = s & LOW;
      highs[k] = s >>> 32;
    }
    long[] lanes = new long[neurons];
    for (int j = 0; j < neurons; j++) {
      lanes[j] = j;
    }
    low = Tensors.to(Tensors.of(lows, size, 1), device);
    high = Tensors.to(Tensors.of(highs, size, 1), device);
    lane = Tensors.to(Tensors.of(lanes, 1, neurons), device);
    counter = torch.zeros(new long[] {size, 1}, Tensors.options(DType.I64, device));
    padded = (neurons + block - 1) / block * block;
  }

  /// The next numbers of mean 0 and variance 1; recordings that are not active draw none.
  ///
  /// @param active `[batch, 1]`
  Tensor next(Tensor active) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor a = mix(half(lane.add(counter).mul(whole(ReadNoise.GOLDEN)).add(low)));
      Tensor b = mix(a.bitwise_xor(high));
      Tensor ones = count(a).add(count(b)).sub(new Scalar(32L));
      Tensor mixed = half(b.mul(whole(ReadNoise.THIRD)).add(a));
      Tensor signed = half(mixed.add(new Scalar(1L << 31))).sub(new Scalar(1L << 31));
      Tensor numbers =
          Tensors.to(ones, DType.F32)
              .add(Tensors.to(signed, DType.F32).mul(new Scalar(ReadNoise.SMOOTH)))
              .mul(new Scalar(ReadNoise.UNIT));
      counter.add_(Tensors.to(active, DType.I64).mul(new Scalar((long) padded)));
      return scope.keep(numbers);
    }
  }

  private static Tensor mix(Tensor v) {
    Tensor h = half(v.bitwise_xor(right(v, 16)).mul(whole(ReadNoise.FIRST)));
    h = half(h.bitwise_xor(right(h, 13)).mul(whole(ReadNoise.SECOND)));
    return h.bitwise_xor(right(h, 16));
  }

  /// Ones among the lower 32 bits.
  private static Tensor count(Tensor v) {
    Tensor pairs = v.sub(and(right(v, 1), 0x55555555L));
    Tensor fours = and(pairs, 0x33333333L).add(and(right(pairs, 2), 0x33333333L));
    Tensor bytes = and(fours.add(right(fours, 4)), 0x0F0F0F0FL);
    return right(half(bytes.mul(new Scalar(0x01010101L))), 24);
  }

  private static Scalar whole(int constant) {
    return new Scalar(constant & LOW);
  }

  private static Tensor half(Tensor v) {
    return and(v, LOW);
  }

  private static Tensor and(Tensor v, long mask) {
    return v.bitwise_and(new Scalar(mask));
  }

  private static Tensor right(Tensor v, long bits) {
    return torch.bitwise_right_shift(v, new Scalar(bits));
  }
}
