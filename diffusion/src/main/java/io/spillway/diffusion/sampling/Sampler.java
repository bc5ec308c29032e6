package io.spillway.diffusion.sampling;

import org.bytedeco.pytorch.Tensor;

/// A way from noise to an image: which times the network is asked at and what its answer does to
/// the image. Every update is elementwise, so any strip of an image can be sampled by itself.
public sealed interface Sampler permits Ddim, Euler, DpmSolver, FlowEuler {
  /// The name on the command line.
  String name();

  /// Begins the sampling of one image or strip in that many steps.
  Run begin(int steps);

  /// One image on its way; a solver of second order keeps its last answer here.
  interface Run extends AutoCloseable {
    int steps();

    /// The time handed to the network in step `i`, in 0..1000.
    double time(int i);

    /// Deviation of the noise that sampling begins with.
    double initialDeviation();

    /// What the network sees in step `i`.
    Tensor input(Tensor x, int i);

    /// The image after step `i`, from the network's prediction of noise or velocity.
    Tensor step(Tensor x, Tensor prediction, int i);

    @Override
    default void close() {}
  }

  /// A x + B y.
  static Tensor blend(double a, Tensor x, double b, Tensor y) {
    return x.mul(new org.bytedeco.pytorch.Scalar(a)).add(y, new org.bytedeco.pytorch.Scalar(b));
  }
}
