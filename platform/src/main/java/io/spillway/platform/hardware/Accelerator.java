package io.spillway.platform.hardware;

import io.spillway.platform.SpillwayException;
import io.spillway.platform.units.Bytes;
import io.spillway.platform.units.BytesPerSecond;
import io.spillway.platform.units.FlopsPerSecond;
import io.spillway.platform.yaml.Default;
import java.util.Map;
import java.util.Optional;

/// One kind of accelerator.
///
/// **Units:** rates are peak rates of dense arithmetic as the vendor states them, bandwidths are
/// per direction.
///
/// @param name the name by which clusters refer to it
/// @param memory what the driver reports as installed
/// @param memoryBandwidth device memory, read or write
/// @param flops dense matrix rate by precision
/// @param peer to the other accelerators of the node, all links of one device together
/// @param host to the host's memory
/// @param source where the figures come from
public record Accelerator(
    String name,
    Bytes memory,
    BytesPerSecond memoryBandwidth,
    FlopRates flops,
    BytesPerSecond peer,
    BytesPerSecond host,
    @Default("stated by the user") String source) {

  /// Matrix rates by precision; an absent one is not supported in hardware.
  public record FlopRates(
      FlopsPerSecond fp32,
      Optional<FlopsPerSecond> tf32,
      Optional<FlopsPerSecond> fp16,
      Optional<FlopsPerSecond> bf16,
      Optional<FlopsPerSecond> fp8) {}

  public Accelerator {
    if (name.isBlank()) {
      throw SpillwayException.badInput("an accelerator without a name");
    }
    requirePositive(name, "memory", memory.bytes());
    requirePositive(name, "memory_bandwidth", memoryBandwidth.bytesPerSecond());
    requirePositive(name, "peer", peer.bytesPerSecond());
    requirePositive(name, "host", host.bytesPerSecond());
    requirePositive(name, "flops.fp32", flops.fp32().flopsPerSecond());
  }

  /// The dense matrix rate in `precision`.
  ///
  /// **Errors:** not available in hardware.
  public FlopsPerSecond rate(Precision precision) {
    Optional<FlopsPerSecond> rate =
        switch (precision) {
          case FP32 -> Optional.of(flops.fp32());
          case TF32 -> flops.tf32();
          case FP16 -> flops.fp16();
          case BF16 -> flops.bf16();
          case FP8 -> flops.fp8();
        };
    return rate.orElseThrow(() ->
        SpillwayException.notAvailable(
            "%s has no %s matrix units; it supports %s", name, precision, supported()));
  }

  public boolean supports(Precision precision) {
    return supported().containsKey(precision);
  }

  /// Every precision that the hardware multiplies in, with its rate.
  public Map<Precision, FlopsPerSecond> supported() {
    Map<Precision, FlopsPerSecond> all = new java.util.EnumMap<>(Precision.class);
    all.put(Precision.FP32, flops.fp32());
    flops.tf32().ifPresent(r -> all.put(Precision.TF32, r));
    flops.fp16().ifPresent(r -> all.put(Precision.FP16, r));
    flops.bf16().ifPresent(r -> all.put(Precision.BF16, r));
    flops.fp8().ifPresent(r -> all.put(Precision.FP8, r));
    return all;
  }

  private static void requirePositive(String name, String what, double value) {
    if (!(value > 0)) {
      throw SpillwayException.badInput(
          "accelerator %s: %s is %s, it must be above 0", name, what, value);
    }
  }
}
