package io.spillway.reservoir.liquid;

import java.util.Arrays;

/// The inputs that spike in each step, in ascending order without repetition.
///
/// **Shapes:** `index[start[t] .. start[t + 1]]` are the inputs of step `t`.
public final class SpikeFrames {
  private final int inputs;
  private final int[] start;
  private final int[] index;

  private SpikeFrames(int inputs, int[] start, int[] index) {
    this.inputs = inputs;
    this.start = start;
    this.index = index;
  }

  public int steps() {
    return start.length - 1;
  }

  public int inputs() {
    return inputs;
  }

  /// Spikes in all.
  public int size() {
    return index.length;
  }

  /// Where step `t` begins; `t` may be the number of steps.
  public int start(int t) {
    return start[t];
  }

  /// The input at a position.
  public int input(int position) {
    return index[position];
  }

  /// Spikes of each input in each of `segments` equal parts, as `[segments * inputs]`: what a
  /// readout sees without a liquid.
  public float[] counts(int segments) {
    float[] out = new float[segments * inputs];
    for (int t = 0; t < steps(); t++) {
      int at = t * segments / steps() * inputs;
      for (int k = start[t]; k < start[t + 1]; k++) {
        out[at + index[k]]++;
      }
    }
    return out;
  }

  /// Collects spikes in any order.
  public static final class Builder {
    private final int steps;
    private final int inputs;
    private long[] keys = new long[1024];
    private int size;

    public Builder(int steps, int inputs) {
      this.steps = steps;
      this.inputs = inputs;
    }

    /// Adds a spike.
    public void add(int step, int input) {
      if (step < 0 || step >= steps || input < 0 || input >= inputs) {
        throw new IndexOutOfBoundsException("step " + step + ", input " + input);
      }
      if (size == keys.length) {
        keys = Arrays.copyOf(keys, 2 * size);
      }
      keys[size++] = (long) step * inputs + input;
    }

    public SpikeFrames build() {
      Arrays.sort(keys, 0, size);
      int[] index = new int[size];
      int[] start = new int[steps + 1];
      int kept = 0;
      for (int i = 0; i < size; i++) {
        if (i > 0 && keys[i] == keys[i - 1]) {
          continue;
        }
        index[kept++] = (int) (keys[i] % inputs);
        start[(int) (keys[i] / inputs) + 1] = kept;
      }
      for (int t = 1; t <= steps; t++) {
        start[t] = Math.max(start[t], start[t - 1]);
      }
      return new SpikeFrames(inputs, start, Arrays.copyOf(index, kept));
    }
  }
}
