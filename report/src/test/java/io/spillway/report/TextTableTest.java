package io.spillway.report;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class TextTableTest {
  private static TextTable table() {
    return new TextTable("name", "time").row("a rather long description", "9.5 ms").row("b", "-");
  }

  @Test
  void alignsTextLeftAndNumbersRight() {
    assertThat(table().render())
        .isEqualTo(
            """
            name                         time
            -------------------------  ------
            a rather long description  9.5 ms
            b                               -
            """);
  }

  @Test
  void aSentenceThatBeginsWithANumberIsNone() {
    TextTable table = new TextTable("figure", "setting");
    table.row(
        "5.4 (3.6 to 7.2) % mean error",
        "62 runs of 64 to 512 A100, each model left out of the fit as there");
    assertThat(table.numericColumns()).containsExactly(true, false);
  }

  @Test
  void cutsTheWidestTextColumnToTheTerminal() {
    assertThat(table().render(20))
        .isEqualTo(
            """
            name            time
            ------------  ------
            a rather lo…  9.5 ms
            b                  -
            """);
  }

  @Test
  void countsCharactersOutsideTheBasicPlaneOnce() {
    assertThat(new TextTable("x").row("𝛼𝛽").render()).isEqualTo("x\n--\n𝛼𝛽\n");
  }
}
