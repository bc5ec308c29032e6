package io.spillway.longcontext.eval;

import io.spillway.longcontext.tasks.Sample;
import io.spillway.platform.Seeds;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Samples that can be read side by side: their contexts, questions and answers have the same
/// lengths in tokens.
///
/// Contexts of one task differ by a sentence at most. Shorter ones begin in the middle of further
/// filler, so that all have the length of the longest.
final class Group {
  private final int[][] contexts;

  /// By turn and sample.
  private final List<int[][]> questions;

  private final List<Sample> samples;
  private final int[] answerLengths;

  private Group(Prompts prompts, List<Sample> samples, int[][] contexts) {
    this.samples = samples;
    this.contexts = contexts;
    this.questions = new ArrayList<>();
    int turns = samples.getFirst().turns().size();
    this.answerLengths = new int[turns];
    for (int turn = 0; turn < turns; turn++) {
      int at = turn;
      questions.add(
          samples.stream().map(s -> prompts.question(s.turns().get(at))).toArray(int[][]::new));
      answerLengths[turn] = prompts.answer(samples.getFirst().turns().get(turn)).length;
    }
  }

  /// Cuts samples into groups of at most `most`.
  static List<Group> of(List<Sample> samples, Prompts prompts, int most, long seed) {
    int[][] contexts = samples.stream().parallel().map(prompts::context).toArray(int[][]::new);
    int longest = Arrays.stream(contexts).mapToInt(c -> c.length).max().orElse(0);
    var random = new Seeds(seed).stream("padding");
    Map<String, List<Integer>> alike = new LinkedHashMap<>();
    for (int i = 0; i < contexts.length; i++) {
      contexts[i] = lengthened(contexts[i], prompts.filler(longest - contexts[i].length, random));
      StringBuilder shape = new StringBuilder();
      for (Sample.Turn turn : samples.get(i).turns()) {
        shape.append(prompts.question(turn).length).append(' ');
        shape.append(prompts.answer(turn).length).append(' ');
      }
      alike.computeIfAbsent(shape.toString(), s -> new ArrayList<>()).add(i);
    }
    List<Group> groups = new ArrayList<>();
    for (List<Integer> indices : alike.values()) {
      for (int from = 0; from < indices.size(); from += most) {
        List<Integer> some = indices.subList(from, Math.min(indices.size(), from + most));
        groups.add(
            new Group(
                prompts,
                some.stream().map(samples::get).toList(),
                some.stream().map(i -> contexts[i]).toArray(int[][]::new)));
      }
    }
    return groups;
  }

  /// Puts tokens behind the begin token.
  private static int[] lengthened(int[] context, int[] more) {
    int[] out = new int[context.length + more.length];
    out[0] = context[0];
    System.arraycopy(more, 0, out, 1, more.length);
    System.arraycopy(context, 1, out, 1 + more.length, context.length - 1);
    return out;
  }

  int size() {
    return samples.size();
  }

  int turns() {
    return questions.size();
  }

  int[][] contexts() {
    return contexts;
  }

  int[][] questions(int turn) {
    return questions.get(turn);
  }

  int answerLength(int turn) {
    return answerLengths[turn];
  }

  Sample.Turn turn(int sample, int turn) {
    return samples.get(sample).turns().get(turn);
  }

  /// The same tokens for every sample.
  int[][] same(int[] tokens) {
    int[][] rows = new int[size()][];
    Arrays.fill(rows, tokens);
    return rows;
  }
}
