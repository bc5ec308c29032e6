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
}
