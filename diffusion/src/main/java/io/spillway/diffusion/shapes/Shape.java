package io.spillway.diffusion.shapes;

import io.spillway.platform.Nearest;
import io.spillway.platform.SpillwayException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/// What a picture shows; the ordinal is the class label. Each shape is a signed distance: negative
/// inside, in units of its radius.
public enum Shape {
  DISC {
    @Override
    double distance(double x, double y) {
      return Math.hypot(x, y) - 0.95;
    }
  },
  RING {
    @Override
    double distance(double x, double y) {
      return Math.abs(Math.hypot(x, y) - 0.75) - 0.2;
    }
  },
  SQUARE {
    @Override
    double distance(double x, double y) {
      return Math.max(Math.abs(x), Math.abs(y)) - 0.8;
    }
  },
  TRIANGLE {
    @Override
    double distance(double x, double y) {
      double side = Math.sqrt(3) / 2;
      return Math.max(y, Math.max(side * x - y / 2, -side * x - y / 2)) - 0.55;
    }
  },
  PLUS {
    @Override
    double distance(double x, double y) {
      double wide = Math.max(Math.abs(x) - 0.95, Math.abs(y) - 0.28);
      double tall = Math.max(Math.abs(x) - 0.28, Math.abs(y) - 0.95);
      return Math.min(wide, tall);
    }
  },
  CRESCENT {
    @Override
    double distance(double x, double y) {
      return Math.max(Math.hypot(x, y) - 0.95, 0.8 - Math.hypot(x - 0.55, y));
    }
  },
  STRIPES {
    @Override
    double distance(double x, double y) {
      double bar = Math.abs(Math.abs(y) - 0.6) - 0.18;
      return Math.max(Math.abs(x) - 0.9, Math.min(bar, Math.abs(y) - 0.18));
    }
  },
  HOURGLASS {
    @Override
    double distance(double x, double y) {
      return Math.max(Math.abs(y) - 0.85, Math.abs(x) - Math.abs(y));
    }
  };

  abstract double distance(double x, double y);

  /// The name that a person types.
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  public static List<String> labels() {
    return Arrays.stream(values()).map(Shape::label).toList();
  }

  /// The shape of that name or number.
  ///
  /// **Errors:** an unknown one, with the nearest known name.
  public static Shape of(String text) {
    String name = text.strip().toLowerCase(Locale.ROOT);
    for (Shape s : values()) {
      if (s.label().equals(name) || String.valueOf(s.ordinal()).equals(name)) {
        return s;
      }
    }
    throw SpillwayException.badInput(
        "class '%s' is unknown, %s", text, Nearest.hint(name, labels()));
  }
}
