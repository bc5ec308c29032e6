package io.spillway.server;

import io.spillway.longcontext.LongContextModel;
import io.spillway.longcontext.cache.Session;
import io.spillway.platform.SpillwayException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// Compressed contexts by name, in memory and, where a folder is given, on disk.
final class SessionStore implements AutoCloseable {
  private static final String SUFFIX = ".cache.safetensors";

  /// What a list shows.
  record Entry(String id, int tokens, int entries, long bytes, String policy) {}

  private final LongContextModel model;
  private final Optional<Path> folder;
  private final Map<String, Session> sessions = new LinkedHashMap<>();

  SessionStore(LongContextModel model, Optional<Path> folder) {
    this.model = model;
    this.folder = folder;
    folder.ifPresent(this::restore);
  }

  private void restore(Path from) {
    try {
      Files.createDirectories(from); // told at the start, not by the first context
    } catch (IOException e) {
      throw SpillwayException.badInput(
          "contexts cannot be stored in %s: it is no folder and none can be made there; give"
              + " another --sessions",
          from);
    }
    List<Path> files;
    try (Stream<Path> list = Files.list(from)) {
      files = list.filter(f -> f.toString().endsWith(SUFFIX)).sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot list " + from, e);
    }
    for (Path file : files) {
      String name = String.valueOf(file.getFileName());
      String id = name.substring(0, name.length() - SUFFIX.length());
      sessions.put(id, Session.load(file, model.decoder(), model.heads()));
    }
  }

  /// The file name of an id; only letters, digits, `-` and `_`.
  static String checked(String id) {
    if (!id.matches("[A-Za-z0-9_-]{1,64}")) {
      throw SpillwayException.badInput(
          "session id '%s' must be 1 to 64 letters, digits, - or _",
          id.substring(0, Math.min(80, id.length())));
    }
    return id;
  }

  synchronized void put(String id, Session session) {
    folder.ifPresent(f -> save(f.resolve(checked(id) + SUFFIX), session));
    Session old = sessions.put(id, session);
    if (old != null) {
      old.close();
    }
  }

  private static void save(Path file, Session session) {
    try {
      session.save(file);
    } catch (UncheckedIOException e) {
      throw SpillwayException.doesNotFit(
          "the context was read but cannot be stored: %s; free room there or remove a session",
          String.valueOf(e.getMessage()));
    }
  }

  /// A copy to answer one question with.
  synchronized Session fork(String id) {
    Session session = sessions.get(id);
    if (session == null) {
      throw SpillwayException.notFound("no session '%s'; see GET /v1/sessions", id);
    }
    return session.fork(model.heads());
  }

  synchronized boolean contains(String id) {
    return sessions.containsKey(id);
  }

  synchronized List<Entry> list() {
    List<Entry> entries = new ArrayList<>();
    sessions.forEach(
        (id, s) -> entries.add(new Entry(id, s.seen(), s.length(), s.bytes(), s.policy().label())));
    return entries;
  }

  synchronized boolean remove(String id) {
    Session session = sessions.remove(id);
    if (session == null) {
      return false;
    }
    session.close();
    folder.ifPresent(f -> {
      try {
        Files.deleteIfExists(f.resolve(checked(id) + SUFFIX));
      } catch (IOException e) {
        throw new UncheckedIOException("cannot remove session " + id, e);
      }
    });
    return true;
  }

  synchronized long bytes() {
    return sessions.values().stream().mapToLong(Session::bytes).sum();
  }

  @Override
  public synchronized void close() {
    sessions.values().forEach(Session::close);
    sessions.clear();
  }
}
