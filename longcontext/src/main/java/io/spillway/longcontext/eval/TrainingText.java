package io.spillway.longcontext.eval;

import io.spillway.longcontext.retain.RetainTrainer;
import io.spillway.models.Tokenizer;
import io.spillway.platform.Json;
import io.spillway.platform.SpillwayException;
import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Prompts with answers from a file of JSON lines, for training heads on people's own texts.
public final class TrainingText {
  /// One line.
  record Line(String prompt, String answer) {}

  private TrainingText() {}

  /// Reads `{"prompt": ..., "answer": ...}` lines; longer examples lose the middle of their prompt.
  ///
  /// **Errors:** malformed lines with their number, an empty file.
  public static RetainTrainer.Source read(Path file, Tokenizer tokenizer, int longest) {
    List<RetainTrainer.Example> examples = new ArrayList<>();
    int number = 0;
    for (String text : lines(file)) {
      number++;
      if (text.isBlank()) {
        continue;
      }
      Line line = Json.parse(text, Line.class, file + ":" + number);
      if (line.prompt() == null || line.answer() == null) {
        throw SpillwayException.badFile(
            file, ":" + number, "each line needs the keys prompt and answer");
      }
      int[] prompt = tokenizer.encode(line.prompt(), true);
      int[] answer = tokenizer.encode(line.answer(), false);
      if (prompt.length < 2 || answer.length == 0 || answer.length > longest / 2) {
        throw SpillwayException.badFile(
            file,
            ":" + number,
            "prompt of %d and answer of %d tokens; at least 2 and 1 to %d are needed",
            prompt.length,
            answer.length,
            longest / 2);
      }
      int room = longest - answer.length;
      int[] kept = prompt;
      if (prompt.length > room) {
        kept = new int[room];
        int head = room / 2;
        System.arraycopy(prompt, 0, kept, 0, head);
        System.arraycopy(prompt, prompt.length - (room - head), kept, head, room - head);
      }
      examples.add(new RetainTrainer.Example(Prompts.join(kept, answer), kept.length));
    }
    if (examples.isEmpty()) {
      throw SpillwayException.badFile(file, "", "no examples; one JSON object on each line");
    }
    return random -> examples.get(random.nextInt(examples.size()));
  }

  private static List<String> lines(Path file) {
    try {
      return Files.readAllLines(file);
    } catch (NoSuchFileException e) {
      throw SpillwayException.notFound("%s: no such file", file);
    } catch (MalformedInputException e) {
      throw SpillwayException.badFile(file, "", "this is no UTF-8 text");
    } catch (IOException e) {
      throw SpillwayException.notFound("cannot read %s: %s", file, String.valueOf(e.getMessage()));
    }
  }
}
