package io.spillway.longcontext.eval;

import io.spillway.longcontext.retain.RetainTrainer;
import io.spillway.longcontext.tasks.Filler;
import io.spillway.longcontext.tasks.Sample;
import io.spillway.longcontext.tasks.Task;
import io.spillway.longcontext.tasks.TaskGenerator;
import io.spillway.models.Tokenizer;
import io.spillway.platform.Seeds;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/// Samples as token ids of a model's tokenizer.
public final class Prompts {
  private final Tokenizer tokenizer;

  public Prompts(Tokenizer tokenizer) {
    this.tokenizer = tokenizer;
  }

  /// Generates with the tokenizer's lengths.
  public TaskGenerator generator(Filler filler, TaskGenerator.Templates templates) {
    return new TaskGenerator(text -> tokenizer.encode(text, false).length, filler, templates);
  }

  /// The samples of a plan's task and length: needles stand at evenly spread depths.
  List<Sample> samples(Evaluation.Plan plan, Task task, int length) {
    TaskGenerator generator = generator(plan.filler(), plan.templates());
    Seeds seeds = new Seeds(plan.seed());
    return IntStream.range(0, plan.samples())
        .parallel()
        .mapToObj(i -> {
          double depth = plan.samples() == 1 ? 0.5 : (double) i / (plan.samples() - 1);
          RandomGenerator random = seeds.stream(task.label() + " " + length, i);
          return generator.generate(task, length, depth, random);
        })
        .toList();
  }

  /// The last `tokens` tokens of random sentences.
  int[] filler(int tokens, RandomGenerator random) {
    StringBuilder text = new StringBuilder();
    int[] ids = {};
    while (ids.length < tokens) {
      text.append(Filler.GRAMMAR.sentence(random));
      ids = tokenizer.encode(text.toString(), false);
    }
    return java.util.Arrays.copyOfRange(ids, ids.length - tokens, ids.length);
  }

  /// The begin token and the text.
  public int[] context(Sample sample) {
    return tokenizer.encode(sample.context(), true);
  }

  public int[] question(Sample.Turn turn) {
    return tokenizer.encode(turn.question() + turn.lead(), false);
  }

  public int[] answer(Sample.Turn turn) {
    return tokenizer.encode(turn.answer(), false);
  }

  public Tokenizer tokenizer() {
    return tokenizer;
  }

  static int[] join(int[]... parts) {
    int length = 0;
    for (int[] part : parts) {
      length += part.length;
    }
    int[] all = new int[length];
    int at = 0;
    for (int[] part : parts) {
      System.arraycopy(part, 0, all, at, part.length);
      at += part.length;
    }
    return all;
  }

  /// Prompt and answers of all turns, laid out as an evaluation asks them.
  public RetainTrainer.Example example(Sample sample) {
    Sample.Turn first = sample.turns().getFirst();
    int[] prompt = join(context(sample), question(first));
    int[] ids = prompt;
    IntStream asking = IntStream.empty();
    for (Sample.Turn turn : sample.turns()) {
      int[] before = turn == first ? ids : join(ids, tokenizer.encode(".", false), question(turn));
      ids = join(before, answer(turn));
      asking = IntStream.concat(asking, IntStream.range(before.length - 1, ids.length - 1));
    }
    return new RetainTrainer.Example(ids, prompt.length, asking.toArray());
  }

  /// Endless examples of mixed tasks up to a length, for training heads. Half of them ask more than
  /// an evaluation does: a head cannot know which of many entries will be asked for, and a label
  /// that says so of one in six teaches it to keep none.
  public RetainTrainer.Source examples(
      int longest, List<Task> tasks, TaskGenerator.Templates templates) {
    TaskGenerator grammar = generator(Filler.GRAMMAR, templates);
    TaskGenerator noise = generator(Filler.NOISE, templates);
    return random -> {
      Task task = tasks.get(random.nextInt(tasks.size()));
      int least = Math.min(longest, 96);
      int tokens = least + random.nextInt(longest - least + 1);
      TaskGenerator from = random.nextInt(6) == 0 ? noise : grammar;
      int most = Math.max(64, tokens);
      return example(
          random.nextBoolean()
              ? from.generate(task, most, -1, random)
              : from.dense(task, most, 1 + random.nextInt(1 + most / 80), random));
    };
  }
}
