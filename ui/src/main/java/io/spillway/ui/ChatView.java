package io.spillway.ui;

import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import io.spillway.longcontext.CacheSettings;
import io.spillway.longcontext.LongContextModel;
import io.spillway.longcontext.Policy;
import io.spillway.longcontext.cache.Session;
import io.spillway.longcontext.eval.Prompts;
import io.spillway.longcontext.generate.Answer;
import io.spillway.longcontext.generate.Generator;
import io.spillway.longcontext.generate.Sampling;
import io.spillway.longcontext.tasks.Filler;
import io.spillway.longcontext.tasks.Sample;
import io.spillway.longcontext.tasks.Task;
import io.spillway.longcontext.tasks.TaskGenerator;
import io.spillway.platform.Json;
import io.spillway.platform.Seeds;
import io.spillway.platform.SpillwayException;
import io.spillway.server.http.EventStream;
import io.spillway.server.http.HttpService;
import io.spillway.tensor.DType;
import io.spillway.tensor.Devices;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// A question about a long document, with the cache shown as it forgets: after every eviction the
/// share of layers and heads that still hold each token.
final class ChatView implements View {
  private static final int LONGEST = 200_000;
  private static final int CHUNK = 128;
  private static final int SAMPLE_TOKENS = 1500;

  private final TorchThread torch = new TorchThread("chat");
  private @Nullable LongContextModel loaded;

  @Override
  public void route(Routes routes) {
    routes.get(
        "chat", (request, response) -> HttpService.json(response, torch.call(this::example)));
    routes.post("chat", this::answer);
  }

  /// Runs on the torch thread.
  private LongContextModel model() {
    LongContextModel model = loaded;
    if (model == null) {
      model =
          LongContextModel.open(
              LongContextModel.ownFolder(), DType.F32, Devices.cpu(), Optional.empty());
      loaded = model;
    }
    return model;
  }

  private Map<String, Object> example() {
    Sample sample =
        new Prompts(model().tokenizer())
            .generator(Filler.GRAMMAR, TaskGenerator.Templates.TRAINED)
            .generate(Task.PASSKEY, SAMPLE_TOKENS, 0.3, new Seeds(3).stream("page"));
    Sample.Turn turn = sample.turns().getFirst();
    return Map.of(
        "document",
        sample.context(),
        "question",
        turn.question() + turn.lead(),
        "expected",
        turn.answer(),
        "policies",
        Policy.labels().stream().filter(ChatView::isShown).toList());
  }

  /// Policies whose cache holds the tokens in the order of reading and whose evictions are seen.
  private static boolean isShown(String label) {
    return switch (Policy.named(label)) {
      case Policy.Full _, Policy.Locret _, Policy.LocretQuery _, Policy.HeavyHitters _ -> true;
      case Policy.SnapKv _ -> true;
      case Policy.StreamingLlm _, Policy.SirLlm _, Policy.Tova _, Policy.Random _ -> true;
      case Policy.ExpectedAttention _ -> true;
      case Policy.SnapKvWhole _, Policy.InfLlm _, Policy.Oracle _, Policy.Wrapped _ -> false;
    };
  }

  private void answer(ServerRequest request, ServerResponse response) {
    JsonNode body = HttpService.body(request);
    String document = View.text(body, "document", "");
    String question = View.text(body, "question", "");
    String label = View.text(body, "policy", "locret");
    if (document.isBlank() || question.isBlank()) {
      throw SpillwayException.badInput("a document and a question are needed");
    }
    Policy policy = Policy.named(label);
    if (!isShown(label)) {
      throw SpillwayException.badInput("policy %s is not shown on this page", label);
    }
    int budget = View.number(body, "budget", 64, 8, 400);
    int most = View.number(body, "answerTokens", 12, 1, 200);
    torch.call(() -> {
      LongContextModel model = model();
      int[] context = model.tokenizer().encode(document, true);
      int[] asked = model.tokenizer().encode(question, false);
      if (context.length > LONGEST) {
        throw SpillwayException.badInput(
            "the document has %d tokens, at most %d are read here", context.length, LONGEST);
      }
      Generator.check(model, policy, context.length + asked.length, most);
      try (EventStream stream = new EventStream(response)) {
        read(model, policy, CacheSettings.of(budget, CHUNK), context, asked, most, stream);
      }
      return "";
    });
  }

  private static void read(
      LongContextModel model,
      Policy policy,
      CacheSettings settings,
      int[] context,
      int[] question,
      int most,
      EventStream stream) {
    List<String> pieces = new ArrayList<>();
    for (int token : context) {
      pieces.add(model.tokenizer().decode(new int[] {token}));
    }
    stream.event("tokens", Json.line(pieces));
    KeptTokens kept = new KeptTokens(model.config().layers(), model.config().kvHeads());
    try (Session session = model.session(policy, settings)) {
      session.observe((layer, places, heads) -> {
        kept.evicted(layer, places, session.seen());
        if (layer == model.config().layers() - 1) {
          stream.event("kept", Json.line(kept.shares(session.seen())));
        }
      });
      session.prefill(context, question);
      Answer answer =
          new Answer(model.tokenizer(), model.config().endTokens(), Sampling.greedy(), most);
      boolean more = answer.accept(session.logits());
      stream.event("piece", Json.line(answer.fresh()));
      while (more && !session.isFull()) {
        more = answer.accept(session.extend(new int[] {answer.last()}));
        stream.event("piece", Json.line(answer.fresh()));
      }
      stream.event(
          "done",
          Json.line(
              Map.of(
                  "tokens",
                  context.length + question.length,
                  "peakBytes",
                  session.peakBytes(),
                  "fullBytes",
                  model.config().cacheBytesPerToken(4) * (context.length + question.length))));
    }
  }

  @Override
  public void close() {
    torch.call(() -> {
      LongContextModel model = loaded;
      if (model != null) {
        model.close();
      }
      return "";
    });
    torch.close();
  }
}
