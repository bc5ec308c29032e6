package io.spillway.browser;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.microsoft.playwright.Browser;
import com.microsoft.playwright.BrowserContext;
import com.microsoft.playwright.BrowserType;
import com.microsoft.playwright.FrameLocator;
import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.Playwright;
import com.microsoft.playwright.Route;
import com.microsoft.playwright.options.ColorScheme;
import com.microsoft.playwright.options.FilePayload;
import io.spillway.ui.UiServer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Every view in a real Chromium. Screenshots are left in `target/screenshots`.
class PageIT {
  private static final Path CHROMIUM = Path.of("/usr/bin/chromium");
  private static final Path PICTURES = Path.of("target", "screenshots");
  private static final double PATIENCE_MS = 120_000; // for a machine with other work

  @TempDir static Path folder = Path.of("");

  @SuppressWarnings("NullAway.Init")
  private static Playwright playwright;

  @SuppressWarnings("NullAway.Init")
  private static Browser browser;

  @SuppressWarnings("NullAway.Init")
  private static UiServer server;

  @SuppressWarnings("NullAway.Init")
  private BrowserContext context;

  @SuppressWarnings("NullAway.Init")
  private Page page;

  private final List<String> complaints = new ArrayList<>();

  @BeforeAll
  static void start() throws IOException {
    assumeTrue(Files.isExecutable(CHROMIUM), "no Chromium at " + CHROMIUM + " (Debian: chromium)");
    Path run = Files.createDirectories(folder.resolve("20260101-000000-plan"));
    Files.writeString(
        run.resolve("run.json"),
        """
        {"command": "plan", "arguments": ["--model", "gpt-175b"], "version": "1", "seed": 1,
         "startedAt": "2026-01-01T00:00:00Z", "seconds": 1.5, "machine": {}, "results": {"seconds": 2}}
        """);
    Files.writeString(
        run.resolve("plot.svg"),
        "<svg xmlns='http://www.w3.org/2000/svg' width='80' height='40'><rect width='80' height='40'/></svg>");
    Files.writeString(
        run.resolve("page.html"),
        "<!doctype html><div style='height:1500px'>tall</div><script>parent.evil = 1</script>");
    Path broken = Files.createDirectories(folder.resolve("20250101-000000-broken"));
    Files.writeString(broken.resolve("run.json"), "{");
    server = UiServer.start("127.0.0.1", 0, Optional.empty(), folder);
    playwright =
        Playwright.create(
            new Playwright.CreateOptions().setEnv(Map.of("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1")));
    browser =
        playwright
            .chromium()
            .launch(
                new BrowserType.LaunchOptions()
                    .setExecutablePath(CHROMIUM)
                    .setArgs(
                        List.of(
                            "--no-sandbox",
                            "--disable-gpu",
                            "--disable-background-networking",
                            "--disable-component-update",
                            "--disable-sync",
                            "--no-first-run")));
  }

  @AfterAll
  static void stop() {
    if (browser != null) {
      browser.close();
      playwright.close();
      server.close();
    }
  }

  @BeforeEach
  void open() {
    context = browser.newContext();
    page = context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    page.onConsoleMessage(m -> {
      if (m.type().equals("error") || m.type().equals("warning")) {
        complaints.add(m.type() + ": " + m.text());
      }
    });
    page.onPageError(complaints::add);
  }

  @AfterEach
  void nothingWentWrong() {
    context.close();
    assertThat(complaints).isEmpty();
  }

  private void view(String name) {
    page.navigate("http://127.0.0.1:" + server.port() + "/#" + name);
    page.waitForSelector("h1");
  }

  private void picture(String name) {
    page.screenshot(
        new Page.ScreenshotOptions().setPath(PICTURES.resolve(name + ".png")).setFullPage(true));
  }

  private void press(String button) {
    page.locator("button", new Page.LocatorOptions().setHasText(button)).click();
    page.waitForFunction(
        "() => document.querySelector('button') && !document.querySelector('button').disabled",
        null,
        new Page.WaitForFunctionOptions().setTimeout(PATIENCE_MS));
    assertThat(page.locator(".error").allTextContents()).isEmpty();
  }

  @Test
  void runsAreListedAndShown() {
    view("runs");
    picture("runs");
    assertThat(page.locator("ul.rows a").allTextContents().toString())
        .contains("2026-01-01 00:00:00 UTC, 1.5 s")
        .contains("20250101-000000-broken (its record cannot be read)");
    page.locator("ul.rows a").first().click();
    page.waitForSelector("figure img");
    // a page of a run is as tall as it is, and runs nothing
    page.waitForFunction("() => document.querySelector('iframe').offsetHeight > 1500");
    assertThat(page.evaluate("() => window.evil")).isNull();
    complaints.removeIf(c -> c.contains("Blocked script execution"));
    assertThat(page.locator("h1").textContent()).isEqualTo("plan");
    assertThat(page.locator("pre").first().textContent()).contains("\"seconds\": 2");
    picture("run");
  }

  @Test
  void aPlanIsMadeOnTheEditedCluster() {
    view("planner");
    String cluster = page.inputValue("#cluster");
    assertThat(cluster).contains("node0").contains("A100-80");
    page.setInputFiles(
        "#upload",
        new FilePayload(
            "own.yaml",
            "text/yaml",
            cluster.replace("\"uneven\"", "\"own\"").getBytes(StandardCharsets.UTF_8)));
    page.waitForFunction("() => document.querySelector('#cluster').value.includes('own')");
    press("Plan");
    FrameLocator plan = page.frameLocator("iframe");
    assertThat(plan.locator("h1").textContent()).contains("on own, 32 accelerators");
    assertThat(plan.locator("tbody tr").count()).isPositive();
    assertThat(plan.locator("svg").count()).isPositive();
    // the timeline stands in the page, not below the edge of a small frame
    page.waitForFunction(
        "() => { const f = document.querySelector('iframe');"
            + " return f.offsetHeight > 1000"
            + " && f.contentDocument.documentElement.scrollHeight <= f.offsetHeight; }");
    // on a small screen plots keep a size that can be read and scroll by themselves
    page.setViewportSize(360, 740);
    assertThat(
            (Double)
                plan.locator("svg text")
                    .first()
                    .evaluate("t => 1.0 * t.getBoundingClientRect().height + 0.001"))
        .isGreaterThan(7);
    assertThat(overflow()).isLessThanOrEqualTo(360);
    assertThat((Integer) plan.locator("html").evaluate("h => h.scrollWidth - h.clientWidth"))
        .isZero();
    picture("planner");
  }

  @Test
  void aBrokenClusterIsToldInOneLine() {
    view("planner");
    page.fill("#cluster", "name: x\nnoddes: []\n");
    page.locator("button").click();
    Locator error = page.locator(".error");
    error.waitFor();
    assertThat(error.textContent()).contains("noddes").contains("nodes");
    // the browser itself reports the 400 that the page shows
    complaints.removeIf(c -> c.contains("400"));
  }

  @Test
  void cycleStacksAreDrawnOverClockRates() {
    view("simulator");
    page.fill("#clocks", "4GHz,100GHz");
    page.selectOption("#systems", "paper-core");
    press("Run");
    assertThat(page.locator("tbody tr").count()).isEqualTo(2);
    assertThat(page.locator(".bar").count()).isEqualTo(2);
    assertThat(page.locator(".bar i").count()).isGreaterThan(4);
    assertThat(page.locator(".bar").first().getAttribute("aria-label")).contains("base ");
    picture("simulator");
    page.setViewportSize(360, 740);
    assertThat(overflow()).isLessThanOrEqualTo(360);
    picture("simulator-360");
  }

  @Test
  void theCacheForgetsAndTheAnswerIsRight() {
    view("chat");
    String note = page.locator("p.mute").first().textContent();
    String expected = note.replaceAll("^.*number: (\\d+)\\.$", "$1");
    press("Ask");
    assertThat(page.locator(".document .gone").count()).isGreaterThan(500);
    assertThat(page.locator(".document .kept").count()).isPositive();
    assertThat(page.locator(".answer").textContent()).contains(expected);
    picture("chat");
  }

  @Test
  void aPictureByRanksLiesOverThatOfOneDevice() {
    view("images");
    page.fill("#steps", "6");
    page.selectOption("#ranks", "2");
    page.evaluate(
        "() => { window.previews = 0; new MutationObserver(list => { for (const m of list)"
            + " if (m.attributeName === 'src' && m.target.matches('img.live')) window.previews++;"
            + " }).observe(document, {subtree: true, attributes: true}); }");
    press("Draw");
    // each step of both showed its picture, and nothing of it is left
    assertThat(page.evaluate("() => window.previews")).isEqualTo(12);
    assertThat(page.locator("img.live").count()).isZero();
    page.fill("#slider", "30");
    assertThat(page.locator(".compare img").count()).isEqualTo(2);
    assertThat(page.locator("canvas").count()).isEqualTo(1);
    assertThat(page.locator("view-images p").allTextContents().toString()).contains("dB to one");
    picture("images");
  }

  @Test
  void leavingAViewEndsItsWork() {
    view("images");
    page.fill("#steps", "100");
    page.selectOption("#ranks", "8");
    page.locator("button").click();
    page.waitForSelector("img.live:not([hidden])");
    view("runs");
    view("images");
    page.fill("#steps", "2");
    page.selectOption("#ranks", "2");
    press("Draw");
    assertThat(page.locator(".compare img").count()).isEqualTo(2);
  }

  @Test
  void aServerThatIsGoneIsSaid() {
    view("events");
    page.route("**/api/events", Route::abort);
    page.locator("button").click();
    page.waitForSelector(".error");
    assertThat(page.locator(".error").textContent()).contains("does ./spillway ui still run?");
    complaints.removeIf(c -> c.contains("ERR_FAILED"));
  }

  @Test
  void eventsAreDrawn() {
    view("events");
    press("Show");
    assertThat(page.locator("view-events p").allTextContents().toString()).contains("events in");
    assertThat(page.locator("figure img").count()).isEqualTo(1);
    picture("events");
  }

  @ParameterizedTest
  @ValueSource(strings = {"runs", "planner", "simulator", "chat", "images", "events"})
  void everyViewIsReadableAt360PixelsInDark(String name) {
    context.close();
    context =
        browser.newContext(
            new Browser.NewContextOptions()
                .setViewportSize(360, 740)
                .setColorScheme(ColorScheme.DARK));
    page = context.newPage();
    view(name);
    page.waitForTimeout(300);
    picture(name + "-360-dark");
    assertThat(overflow()).isLessThanOrEqualTo(360);
  }

  private int overflow() {
    return (Integer) page.evaluate("document.documentElement.scrollWidth");
  }

  @Test
  void theKeyboardReachesEveryControl() {
    view("events");
    List<String> reached = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      page.keyboard().press("Tab");
      reached.add(
          String.valueOf(
              page.evaluate(
                  "document.activeElement.id || document.activeElement.textContent.trim()")));
    }
    assertThat(reached)
        .contains("Skip to the view", "Runs", "Planner", "Chat", "file", "digit", "Show");
  }

  /// Contrast of text and accents on their grounds, WCAG AA: 4.5 for text.
  @ParameterizedTest
  @ValueSource(strings = {"LIGHT", "DARK"})
  void contrastIsEnough(String scheme) {
    context.close();
    context =
        browser.newContext(
            new Browser.NewContextOptions().setColorScheme(ColorScheme.valueOf(scheme)));
    page = context.newPage();
    view("planner");
    Object low =
        page.evaluate(
            """
            () => {
              const style = getComputedStyle(document.documentElement);
              const light = hex => {
                hex = hex.trim().replace('#', '');
                if (hex.length === 3) hex = [...hex].map(c => c + c).join('');
                const [r, g, b] = [0, 2, 4].map(i => parseInt(hex.slice(i, i + 2), 16) / 255)
                  .map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
                return .2126 * r + .7152 * g + .0722 * b;
              };
              const ratio = (a, b) => {
                const [x, y] = [a, b].map(n => light(style.getPropertyValue(n))).sort((p, q) => q - p);
                return (x + .05) / (y + .05);
              };
              return [['--fg', '--bg'], ['--mute', '--bg'], ['--accent', '--bg'], ['--on-accent', '--accent'],
                ['--bad', '--bg'], ['--bg', '--kept'], ['--fg', '--soft']].filter(([a, b]) => ratio(a, b) < 4.5)
                .map(([a, b]) => a + ' on ' + b + ': ' + ratio(a, b).toFixed(2));
            }
            """);
    assertThat((List<?>) low).isEmpty();
  }
}
