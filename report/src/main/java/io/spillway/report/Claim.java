package io.spillway.report;

import java.util.Map;

/// One claim of a paper and how it is measured here.
///
/// @param name short and stable, for example `iteration-time`; finished rows are kept by it
/// @param statement what is claimed, in one line
/// @param published the figure in the paper
/// @param setting how our setting differs from the paper's, or that it is the same
/// @param measurement takes ours
public record Claim(
    String name, String statement, Published published, String setting, Measurement measurement) {
  public Claim {
    if (!name.matches("[a-z0-9]+(-[a-z0-9]+)*")) {
      throw new IllegalArgumentException("a claim's name in small letters with dashes: " + name);
    }
  }

  /// What makes a figure better.
  public enum Better {
    HIGHER,
    LOWER,
    /// The figure describes something that is to be met, not passed.
    NEAR
  }

  /// A published figure.
  ///
  /// @param low its lower end, the same as `high` where one number is published
  /// @param unit written behind the number, for example `%`, `x` or `s`
  /// @param within share by which ours may lie off and still count as the same
  /// @param source where the figure stands
  public record Published(
      double low, double high, String unit, Better better, double within, String source) {
    public Published {
      if (!(low <= high) || !(within >= 0)) {
        throw new IllegalArgumentException(low + " to " + high + " within " + within);
      }
    }

    public static Published of(double value, String unit, Better better, String source) {
      return new Published(value, value, unit, better, better == Better.NEAR ? 0.15 : 0, source);
    }
  }

  /// Takes the figure.
  @FunctionalInterface
  public interface Measurement {
    Finding take(Reproduction.Setting setting);
  }

  /// What came out.
  public sealed interface Finding {
    /// A figure with its interval.
    ///
    /// @param low lower end of the interval
    /// @param interval what the interval is, for example `95 %, 5 folds`
    /// @param figures further numbers for JSON
    record Measured(
        double value, double low, double high, String interval, Map<String, Object> figures)
        implements Finding {
      public Measured {
        if (!(low <= value) || !(value <= high)) {
          throw new IllegalArgumentException(value + " outside of " + low + " to " + high);
        }
        figures = Map.copyOf(figures);
      }

      /// A figure that repeats exactly.
      public static Measured exact(double value, Map<String, Object> figures) {
        return new Measured(value, value, value, "repeats exactly", figures);
      }

      /// The mean of some values with its 95 % interval from Student's t.
      public static Measured mean(double[] values, String what, Map<String, Object> figures) {
        Spread spread = Spread.of(values);
        double half = Double.isNaN(spread.halfWidth()) ? 0 : spread.halfWidth();
        String interval =
            values.length < 2 ? "one " + what : "95 % over " + values.length + " " + what;
        return new Measured(
            spread.mean(), spread.mean() - half, spread.mean() + half, interval, figures);
      }
    }

    /// No figure, and why.
    record NotMeasurable(String why) implements Finding {}
  }

  /// How ours stands beside the published figure.
  public enum Verdict {
    BETTER("better"),
    SAME("same"),
    WORSE("worse"),
    NOT_MEASURABLE("not measurable here");

    private final String text;

    Verdict(String text) {
      this.text = text;
    }

    @Override
    public String toString() {
      return text;
    }
  }

  /// The same where the interval meets the published figure or the value lies within its margin; a
  /// figure that is to be met is else worse.
  public Verdict verdict(Finding finding) {
    return switch (finding) {
      case Finding.NotMeasurable _ -> Verdict.NOT_MEASURABLE;
      case Finding.Measured(
              double value,
              double low,
              double high,
              String _,
              Map<String, Object> _) -> {
        double margin = published.within();
        boolean near =
            value >= published.low() - margin * Math.abs(published.low())
                && value <= published.high() + margin * Math.abs(published.high());
        boolean meets = low <= published.high() && high >= published.low();
        yield switch (published.better()) {
          case NEAR -> near ? Verdict.SAME : Verdict.WORSE;
          case HIGHER -> near || meets ? Verdict.SAME : sign(value > published.high());
          case LOWER -> near || meets ? Verdict.SAME : sign(value < published.low());
        };
      }
    };
  }

  private static Verdict sign(boolean better) {
    return better ? Verdict.BETTER : Verdict.WORSE;
  }
}
