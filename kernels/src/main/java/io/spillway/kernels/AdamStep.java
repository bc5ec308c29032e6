package io.spillway.kernels;

import io.spillway.platform.SpillwayException;

/// The constants of one Adam or AdamW step, rounded to single precision once so that every device
/// and every split of the parameters computes with the same numbers.
///
/// With `g` the scaled gradient, every implementation evaluates, for each parameter, in this order
/// and with one rounding an operation (`fma` is the fused multiply-add):
///
/// ```
/// g = gradient * gradientScale
/// p = p * decay                              AdamW: decay = 1 - lr * weightDecay
/// g = fma(coupledDecay, p, g)                Adam: coupledDecay = weightDecay
/// m = fma(oneMinusBeta1, g - m, m)
/// v = fma(beta2, v, (oneMinusBeta2 * g) * g)
/// p = fma(-stepSize, m / fma(sqrt(v), inverseRootCorrection2, epsilon), p)
/// ```
///
/// **Source:** Kingma and Ba 2015, algorithm 1; Loshchilov and Hutter 2019, algorithm 2; the order
/// of operations is ours.
///
/// @param gradientScale factor on every gradient: clipping, loss scale and accumulation in one
/// @param decay factor on the parameter, 1 without decoupled weight decay
/// @param coupledDecay share of the parameter added to the gradient, 0 with decoupled weight decay
/// @param oneMinusBeta1 weight of the new gradient in the momentum
/// @param beta2 weight of the old variance
/// @param oneMinusBeta2 weight of the new squared gradient
/// @param stepSize learning rate over the bias correction of the momentum
/// @param inverseRootCorrection2 one over the root of the bias correction of the variance
/// @param epsilon added to the root of the variance
public record AdamStep(
    float gradientScale,
    float decay,
    float coupledDecay,
    float oneMinusBeta1,
    float beta2,
    float oneMinusBeta2,
    float stepSize,
    float inverseRootCorrection2,
    float epsilon) {

  /// The constants for step number `step`, which counts from 1.
  ///
  /// **Errors:** hyperparameters outside their ranges as bad input.
  public static AdamStep of(AdamSettings settings, double learningRate, long step, double scale) {
    if (step < 1) {
      throw SpillwayException.badInput("Adam step %d, steps count from 1", step);
    }
    double correction1 = 1 - Math.pow(settings.beta1(), step);
    double correction2 = 1 - Math.pow(settings.beta2(), step);
    return new AdamStep(
        (float) scale,
        settings.decoupled() ? (float) (1 - learningRate * settings.weightDecay()) : 1f,
        settings.decoupled() ? 0f : (float) settings.weightDecay(),
        (float) (1 - settings.beta1()),
        (float) settings.beta2(),
        (float) (1 - settings.beta2()),
        (float) (learningRate / correction1),
        (float) (1 / Math.sqrt(correction2)),
        (float) settings.epsilon());
  }
}
