package io.spillway.report;

import io.spillway.platform.AtomicFiles;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;

/// One self-contained page: headings, text, tables, plots and pictures in one file that opens
/// without a network, readable from 360 px, in the reader's light or dark theme.
public final class HtmlPage {
  private static final String STYLE =
      """
      :root{color-scheme:light dark;--bg:#ffffff;--fg:#1b1f24;--mute:#57606a;--line:#d5dae0;--accent:#005f99;--soft:#f3f6fa}
      @media(prefers-color-scheme:dark){:root{--bg:#15191e;--fg:#e6eaee;--mute:#9aa5b1;--line:#3a424b;--accent:#56b4e9;--soft:#1d232a}}
      *{box-sizing:border-box}
      body{margin:0 auto;max-width:1080px;padding:1.5rem 1rem 4rem;background:var(--bg);color:var(--fg);font:16px/1.55 system-ui,sans-serif}
      h1{font-size:1.7rem;line-height:1.2;margin:.2em 0}h2{font-size:1.25rem;margin:2.2em 0 .4em;border-top:1px solid var(--line);padding-top:1em}
      h3{font-size:1.02rem;margin:1.6em 0 0}
      .verdict{border:1px solid var(--accent);color:var(--accent);border-radius:6px;padding:.05em .5em;font-size:.85em;white-space:nowrap}
      p{max-width:75ch}.mute{color:var(--mute)}
      .wide{overflow-x:auto;margin:1em 0}
      table{border-collapse:collapse;font-size:.93rem}th,td{padding:.35em .8em .35em 0;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
      th{color:var(--mute);font-weight:600}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
      pre{background:var(--soft);padding:.8em 1em;overflow-x:auto;border-radius:6px;font-size:.9rem}
      figure{margin:1.2em 0}figcaption{color:var(--mute);font-size:.9rem}svg,img{max-width:100%;height:auto}
      @media(max-width:44rem){figure{overflow-x:auto}figure svg{min-width:42rem}figcaption{position:sticky;left:0}}
      .dark{display:none}@media(prefers-color-scheme:dark){.light{display:none}.dark{display:block}}
      a{color:var(--accent)}a:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
      """;

  private final String title;
  private final StringBuilder body = new StringBuilder();

  public HtmlPage(String title) {
    this.title = title;
    body.append("<h1>").append(escape(title)).append("</h1>\n");
  }

  public HtmlPage heading(String text) {
    body.append("<h2>").append(escape(text)).append("</h2>\n");
    return this;
  }

  public HtmlPage paragraph(String text) {
    body.append("<p>").append(escape(text)).append("</p>\n");
    return this;
  }

  /// Text of lesser weight, such as the machine and the command.
  public HtmlPage note(String text) {
    body.append("<p class=\"mute\">").append(escape(text)).append("</p>\n");
    return this;
  }

  /// A smaller heading with a verdict in a frame before it.
  public HtmlPage verdict(String verdict, String text) {
    body.append("<h3><span class=\"verdict\">")
        .append(escape(verdict))
        .append("</span> ")
        .append(escape(text))
        .append("</h3>\n");
    return this;
  }

  /// Text kept as it is, such as a command or a file.
  public HtmlPage code(String text) {
    body.append("<pre>").append(escape(text)).append("</pre>\n");
    return this;
  }

  public HtmlPage table(TextTable table) {
    List<String> header = table.header();
    boolean[] numeric = table.numericColumns();
    body.append("<div class=\"wide\" tabindex=\"0\"><table>\n<thead><tr>");
    for (int c = 0; c < header.size(); c++) {
      cell("th", header.get(c), numeric[c]);
    }
    body.append("</tr></thead>\n<tbody>\n");
    for (List<String> row : table.rows()) {
      body.append("<tr>");
      for (int c = 0; c < row.size(); c++) {
        cell("td", row.get(c), numeric[c]);
      }
      body.append("</tr>\n");
    }
    body.append("</tbody></table></div>\n");
    return this;
  }

  /// A plot, drawn for both themes.
  public HtmlPage plot(Plot plot, String caption) {
    return figure(
        "<div class=\"light\">"
            + inline(plot.svg(Theme.LIGHT), plot.title())
            + "</div><div class=\"dark\">"
            + inline(plot.svg(Theme.DARK), plot.title())
            + "</div>",
        caption);
  }

  /// A drawing of our own as SVG text.
  public HtmlPage svg(String svg, String caption) {
    return figure(inline(svg, caption), caption);
  }

  /// A picture.
  ///
  /// @param mediaType `image/png` or `image/gif`
  public HtmlPage image(byte[] bytes, String mediaType, String caption) {
    return figure(
        "<img alt=\""
            + escape(caption)
            + "\" src=\"data:"
            + mediaType
            + ";base64,"
            + Base64.getEncoder().encodeToString(bytes)
            + "\">",
        caption);
  }

  /// The whole page.
  public String render() {
    return "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
        + "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
        + "<title>"
        + escape(title)
        + "</title><style>\n"
        + STYLE
        + "</style></head>\n<body><main>\n"
        + body
        + "</main></body></html>\n";
  }

  public void write(Path file) {
    AtomicFiles.writeString(file, render());
  }

  private HtmlPage figure(String content, String caption) {
    body.append("<figure>")
        .append(content)
        .append("<figcaption>")
        .append(escape(caption))
        .append("</figcaption></figure>\n");
    return this;
  }

  /// SVG without its XML prologue, with a view box so that it shrinks with the page.
  private static String inline(String svg, String label) {
    String element = svg.substring(svg.indexOf("<svg"));
    String open = element.substring(0, element.indexOf('>'));
    if (!open.contains("viewBox")) {
      String width = attribute(open, "width");
      String height = attribute(open, "height");
      element =
          open + " viewBox=\"0 0 " + width + " " + height + "\"" + element.substring(open.length());
    }
    return element.replaceFirst(
        "<svg", "<svg role=\"img\" aria-label=\"" + escape(label).replace("$", "\\$") + "\"");
  }

  private static String attribute(String open, String name) {
    var m = java.util.regex.Pattern.compile("\\s" + name + "=\"([0-9.]+)[a-z]*\"").matcher(open);
    if (!m.find()) {
      throw new IllegalArgumentException("an SVG without " + name + ": " + open);
    }
    return m.group(1);
  }

  private void cell(String tag, String text, boolean numeric) {
    body.append('<').append(tag).append(numeric ? " class=\"n\">" : ">");
    body.append(escape(text)).append("</").append(tag).append('>');
  }

  static String escape(String text) {
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;");
  }
}
