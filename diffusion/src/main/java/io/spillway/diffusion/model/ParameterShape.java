package io.spillway.diffusion.model;

import java.util.List;

/// One parameter of a model: its name in a safetensors file and its sizes, outermost first. A list
/// of these describes a whole model without any memory for weights.
public record ParameterShape(String name, List<Long> sizes) {
  public ParameterShape {
    sizes = List.copyOf(sizes);
  }

  /// A parameter of these sizes.
  public static ParameterShape of(String name, long... sizes) {
    return new ParameterShape(name, java.util.Arrays.stream(sizes).boxed().toList());
  }

  /// How many numbers it has.
  public long elements() {
    return sizes.stream().reduce(1L, Math::multiplyExact);
  }

  /// The sizes as libtorch wants them.
  public long[] shape() {
    return sizes.stream().mapToLong(Long::longValue).toArray();
  }

  /// How many numbers all of them have.
  public static long total(List<ParameterShape> shapes) {
    return shapes.stream().mapToLong(ParameterShape::elements).sum();
  }
}
