package io.spillway.report;

import java.awt.Color;

/// Colours of plots and pages. Series use the colour-blind-safe palette of Okabe and Ito (2008),
/// lightened for dark ground.
public enum Theme {
  LIGHT(
      new Color(0xFFFFFF),
      new Color(0x1B1F24),
      new Color(0xD5DAE0),
      0x0072B2,
      0xD55E00,
      0x007A5A,
      0xA6548A,
      0xB07D00,
      0x3C8DBC,
      0x555555,
      0x8A6D00),
  DARK(
      new Color(0x15191E),
      new Color(0xE6EAEE),
      new Color(0x3A424B),
      0x56B4E9,
      0xF08A3C,
      0x2CC09A,
      0xD98BC0,
      0xE6B422,
      0x8FD0F5,
      0xB5B5B5,
      0xF0E442);

  private final Color background;
  private final Color text;
  private final Color grid;
  private final Color[] series;

  Theme(Color background, Color text, Color grid, int... series) {
    this.background = background;
    this.text = text;
    this.grid = grid;
    this.series = new Color[series.length];
    for (int i = 0; i < series.length; i++) {
      this.series[i] = new Color(series[i]);
    }
  }

  Color background() {
    return background;
  }

  Color text() {
    return text;
  }

  Color grid() {
    return grid;
  }

  Color[] series() {
    return series.clone();
  }
}
