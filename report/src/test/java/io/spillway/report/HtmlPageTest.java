package io.spillway.report;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class HtmlPageTest {
  @Test
  void isSelfContainedAndEscapesWhatItShows() {
    HtmlPage page =
        new HtmlPage("A & B")
            .heading("<script>")
            .table(new TextTable("name", "n").row("x<y", "3"))
            .plot(PlotTest.all().getFirst(), "cost $1");

    String html = page.render();
    assertThat(html)
        .contains("A &amp; B", "&lt;script&gt;", "x&lt;y", "viewBox=\"0 0 900 520\"", "cost $1")
        .doesNotContain("<script>", "src=\"http", "href=\"http", "<?xml");
  }

  @Test
  void rightAlignsColumnsOfNumbersOnly() {
    String html = new HtmlPage("t").table(new TextTable("name", "n").row("x", "3")).render();
    assertThat(html).contains("<td>x</td><td class=\"n\">3</td>");
  }
}
