package io.spillway.reservoir.energy;

/// What training a network costs, counted in multiplications with addition.
///
/// @param parameters numbers that training changes
/// @param forward operations of one forward pass over one example
/// @param backward operations of its backward pass
/// @param updates examples seen in all: examples times epochs
/// @param closedForm operations of a closed-form solution, 0 if trained by gradient
public record TrainingCost(
    long parameters, double forward, double backward, double updates, double closedForm) {
  /// All operations of training; a frozen part runs forward once an example and epoch at most.
  public double operations() {
    return (forward + backward) * updates + closedForm;
  }

  /// A frozen reservoir whose counts are kept, and a linear readout trained by gradient: each
  /// recording passes the reservoir once.
  ///
  /// @param reservoir operations of the reservoir for one recording
  public static TrainingCost frozenReservoir(
      double reservoir, long features, long outputs, double recordings, double epochs) {
    double linear = (double) features * outputs;
    return new TrainingCost(
        features * outputs + outputs,
        linear + reservoir / epochs,
        2 * linear,
        recordings * epochs,
        0);
  }

  /// A recurrent network of `hidden` cells trained through time.
  public static TrainingCost recurrent(
      long inputs, long hidden, long outputs, long steps, double recordings, double epochs) {
    double weights = (double) (inputs + hidden) * hidden;
    double forward = weights * steps + hidden * outputs;
    return new TrainingCost(
        (inputs + hidden + outputs) * hidden + hidden + outputs,
        forward,
        2 * forward,
        recordings * epochs,
        0);
  }

  /// A frozen reservoir with a ridge readout in closed form.
  public static TrainingCost ridge(
      double reservoir, long features, long outputs, double recordings) {
    double smaller = Math.min(features, recordings);
    double larger = Math.max(features, recordings);
    double gram = smaller * smaller * larger / 2;
    double cholesky = smaller * smaller * smaller / 6;
    return new TrainingCost(
        features * outputs + outputs, reservoir, 0, recordings, gram + cholesky);
  }

  /// Two frozen reservoirs, one a sense, and the contrastive projections between them: a linear map
  /// to `width` and a branch of `width` by `width`, each way.
  ///
  /// @param reservoirs operations of both reservoirs for one pair
  /// @param anew whether each epoch runs the reservoirs anew; else their counts are kept
  public static TrainingCost projections(
      double reservoirs,
      boolean anew,
      long imageFeatures,
      long soundFeatures,
      long width,
      double pairs,
      double epochs) {
    double forward = projection(imageFeatures, width) + projection(soundFeatures, width);
    return new TrainingCost(
        projectionParameters(imageFeatures, width) + projectionParameters(soundFeatures, width),
        forward + (anew ? reservoirs : reservoirs / epochs),
        2 * forward,
        pairs * epochs,
        0);
  }

  /// The same with recurrent networks of `hidden` cells in the place of the reservoirs, all of it
  /// trained through time: what the paper calls SRNN-CLIP.
  public static TrainingCost recurrentPair(
      long imageInputs,
      long imageSteps,
      long soundInputs,
      long soundSteps,
      long hidden,
      long width,
      double pairs,
      double epochs) {
    double forward =
        (double) (imageInputs + hidden) * hidden * imageSteps
            + (double) (soundInputs + hidden) * hidden * soundSteps
            + 2 * projection(hidden, width);
    return new TrainingCost(
        (imageInputs + soundInputs + 2 * hidden) * hidden + 2 * projectionParameters(hidden, width),
        forward,
        2 * forward,
        pairs * epochs,
        0);
  }

  private static double projection(long features, long width) {
    return (double) features * width + (double) width * width;
  }

  /// Both maps with their biases, and the scale and shift of the normalisation.
  private static long projectionParameters(long features, long width) {
    return features * width + width * width + 4 * width;
  }
}
