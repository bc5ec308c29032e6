package io.spillway.diffusion.model;

import java.util.ArrayList;
import java.util.List;

/// Collects the parameters of a model layer by layer, under diffusers names.
public final class Shapes {
  private final List<ParameterShape> list = new ArrayList<>();

  public List<ParameterShape> list() {
    return List.copyOf(list);
  }

  /// A bare parameter.
  public Shapes parameter(String name, long... sizes) {
    list.add(ParameterShape.of(name, sizes));
    return this;
  }

  /// `weight` [out, in] and `bias` `[out]`.
  public Shapes linear(String name, long in, long out) {
    return linear(name, in, out, true);
  }

  public Shapes linear(String name, long in, long out, boolean bias) {
    parameter(name + ".weight", out, in);
    return bias ? parameter(name + ".bias", out) : this;
  }

  /// `weight` [out, in, kernel, kernel] and `bias` `[out]`.
  public Shapes convolution(String name, long in, long out, long kernel) {
    return parameter(name + ".weight", out, in, kernel, kernel).parameter(name + ".bias", out);
  }

  /// `weight` and `bias` of a normalisation with affine parameters.
  public Shapes norm(String name, long channels) {
    return parameter(name + ".weight", channels).parameter(name + ".bias", channels);
  }
}
