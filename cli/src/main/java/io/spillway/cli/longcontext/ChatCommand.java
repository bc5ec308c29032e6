package io.spillway.cli.longcontext;

import io.spillway.cli.SpillwayCommand;
import io.spillway.longcontext.CacheSettings;
import io.spillway.longcontext.LongContextModel;
import io.spillway.longcontext.Policy;
import io.spillway.longcontext.generate.Generator;
import io.spillway.longcontext.generate.Sampling;
import io.spillway.models.ChatTemplate;
import io.spillway.models.ChatTemplate.Message;
import io.spillway.platform.Json;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `chat`: a conversation on the terminal, streamed.
@Command(
    name = "chat",
    description =
        "Talk with a model on the terminal; an empty line or end of input ends it. With --json each"
            + " answer is one line of JSON.")
public final class ChatCommand extends SpillwayCommand {
  @Mixin private ModelOptions options = new ModelOptions();
  @Mixin private SamplingOptions sampling = new SamplingOptions();

  @Option(
      names = "--context-file",
      paramLabel = "FILE",
      description = "A long text that the first message begins with.")
  private @Nullable Path contextFile;

  @Override
  protected void execute() throws IOException {
    String context = context();
    Policy policy = options.chosenPolicy();
    Sampling how = sampling.sampling();
    try (LongContextModel model = options.open()) {
      CacheSettings settings = options.settings(model);
      ChatTemplate template = model.chatTemplate();
      List<Message> messages = new ArrayList<>();
      BufferedReader in =
          new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
      while (true) {
        if (!json) {
          System.out.print("> ");
          System.out.flush();
        }
        String line = in.readLine();
        if (line == null || line.isBlank()) {
          System.out.print(json ? "" : "\n");
          return;
        }
        messages.add(new Message("user", messages.isEmpty() ? context + line : line));
        int[] prompt = model.tokenizer().encode(template.render(messages, true), false);
        StringBuilder answer = new StringBuilder();
        Generator.Figures figures =
            Generator.generate(
                model,
                policy,
                settings,
                prompt,
                how,
                sampling.maxTokens,
                piece -> {
                  answer.append(piece);
                  if (!json) {
                    System.out.print(piece);
                    System.out.flush();
                  }
                });
        System.out.println(
            json ? Json.line(Map.of("answer", answer.toString(), "figures", figures)) : "");
        if (!quiet && !json) {
          System.err.println("spillway: " + GenerateCommand.describe(figures));
        }
        messages.add(new Message("assistant", answer.toString().strip()));
      }
    }
  }

  private String context() {
    return contextFile == null ? "" : TextFile.read(contextFile).strip() + " ";
  }
}
