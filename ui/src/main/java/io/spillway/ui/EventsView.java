package io.spillway.ui;

import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import io.spillway.platform.Seeds;
import io.spillway.platform.SpillwayException;
import io.spillway.reservoir.convert.DrawnDigits;
import io.spillway.reservoir.convert.PixelModel;
import io.spillway.reservoir.convert.Saccades;
import io.spillway.reservoir.events.EventFiles;
import io.spillway.reservoir.events.EventRecording;
import io.spillway.reservoir.view.Pictures;
import io.spillway.server.http.HttpService;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/// A recording of an event camera or ear: every event as a point, and the moving picture.
final class EventsView implements View {
  private static final int MOST_POINTS = 60_000;
  private static final int MOST_FRAMES = 60;

  @Override
  public void route(Routes routes) {
    routes.post("events", this::show);
  }

  private void show(ServerRequest request, ServerResponse response) {
    JsonNode body = HttpService.body(request);
    String file = View.text(body, "file", "");
    EventRecording recording;
    if (file.isEmpty()) {
      int digit = View.number(body, "digit", 3, 0, 9);
      Seeds seeds = new Seeds(View.number(body, "seed", 1, 0, Integer.MAX_VALUE));
      recording =
          Saccades.record(
              DrawnDigits.draw(digit, seeds.stream("hand")),
              PixelModel.NMNIST,
              seeds.stream("camera"));
    } else {
      recording = Uploads.use(file, View.text(body, "name", "upload.bin"), EventFiles::read);
    }
    if (recording.size() == 0) {
      throw SpillwayException.badInput("the recording has no events");
    }
    HttpService.json(response, described(recording));
  }

  private static Map<String, Object> described(EventRecording recording) {
    int stride = Math.max(1, (recording.size() + MOST_POINTS - 1) / MOST_POINTS);
    int count = (recording.size() + stride - 1) / stride;
    int[] times = new int[count];
    int[] places = new int[count];
    int[] polarities = new int[count];
    long start = recording.timeUs(0);
    for (int i = 0; i < count; i++) {
      int at = i * stride;
      times[i] = (int) Math.min(Integer.MAX_VALUE, recording.timeUs(at) - start);
      places[i] = recording.y(at) * recording.sensor().width() + recording.x(at);
      polarities[i] = recording.polarity(at);
    }
    long bin = Math.max(10_000, recording.durationUs() / MOST_FRAMES + 1);
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put("events", recording.size());
    answer.put("shownEvery", stride);
    answer.put("width", recording.sensor().width());
    answer.put("height", recording.sensor().height());
    answer.put("durationUs", recording.durationUs());
    answer.put("kinds", recording.sensor().polarities());
    answer.put("timesUs", times);
    answer.put("places", places);
    answer.put("polarities", polarities);
    answer.put(
        "frames",
        Base64.getEncoder()
            .encodeToString(Pictures.gifBytes(Pictures.eventFrames(recording, bin))));
    return answer;
  }
}
