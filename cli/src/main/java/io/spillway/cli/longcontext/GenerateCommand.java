package io.spillway.cli.longcontext;

import io.spillway.cli.SpillwayCommand;
import io.spillway.longcontext.CacheSettings;
import io.spillway.longcontext.LongContextModel;
import io.spillway.longcontext.generate.Generator;
import io.spillway.longcontext.generate.Generator.Figures;
import io.spillway.platform.SpillwayException;
import io.spillway.platform.units.Bytes;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `generate`: one answer to one long prompt.
@Command(
    name = "generate",
    description = "Answer a long prompt from a fixed cache budget; the figures go to stderr.")
public final class GenerateCommand extends SpillwayCommand {
  @Mixin private ModelOptions options = new ModelOptions();
  @Mixin private SamplingOptions sampling = new SamplingOptions();

  @Option(names = "--prompt", paramLabel = "TEXT", description = "The prompt.")
  private @Nullable String prompt;

  @Option(
      names = "--prompt-file",
      paramLabel = "FILE",
      description = "A file with the prompt, or its long part if --prompt is given too.")
  private @Nullable Path promptFile;

  @Override
  protected void execute() {
    String text = text();
    try (LongContextModel model = options.open()) {
      CacheSettings settings = options.settings(model);
      int[] ids = model.tokenizer().encode(text, true);
      StringBuilder answer = new StringBuilder();
      Figures figures =
          Generator.generate(
              model,
              options.chosenPolicy(),
              settings,
              ids,
              sampling.sampling(),
              sampling.maxTokens,
              piece -> {
                answer.append(piece);
                if (!json) {
                  System.out.print(piece);
                  System.out.flush();
                }
              });
      if (json) {
        Map<String, Object> out = new LinkedHashMap<>();
        out.put("answer", answer.toString());
        out.put("policy", options.policy);
        out.put("budget", settings.budget());
        out.put("figures", figures);
        answer(out, "");
      } else {
        System.out.println();
        if (!quiet) {
          System.err.println("spillway: " + describe(figures));
        }
      }
    }
  }

  private String text() {
    if (prompt == null && promptFile == null) {
      throw SpillwayException.badInput("no prompt; give --prompt TEXT or --prompt-file FILE");
    }
    String file = promptFile == null ? "" : TextFile.read(promptFile);
    return file + (prompt == null ? "" : prompt);
  }

  /// One line of figures.
  static String describe(Figures f) {
    return String.format(
        Locale.ROOT,
        "%d prompt tokens in %.2f s (%.0f tokens/s), %d tokens at %.1f tokens/s, cache peak %s"
            + " (everything would take %s)",
        f.promptTokens(),
        f.firstTokenSeconds(),
        f.promptTokensPerSecond(),
        f.answerTokens(),
        f.tokensPerSecond(),
        new Bytes(f.peakCacheBytes()),
        new Bytes(f.fullCacheBytes()));
  }
}
