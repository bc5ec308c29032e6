package io.spillway.server.http;

import io.helidon.common.buffers.BufferData;
import io.helidon.common.buffers.DataReader;
import io.helidon.common.buffers.DataWriter;
import io.helidon.common.socket.HelidonSocket;
import io.helidon.common.socket.PeerInfo;
import io.helidon.common.socket.SocketOptions;
import io.helidon.webserver.ConnectionContext;
import io.helidon.webserver.ListenerContext;
import io.helidon.webserver.ProxyProtocolData;
import io.helidon.webserver.Router;
import io.helidon.webserver.http1.Http1Config;
import io.helidon.webserver.http1.Http1ConnectionSelector;
import io.helidon.webserver.spi.ServerConnection;
import io.helidon.webserver.spi.ServerConnectionSelector;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketOption;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;

/// HTTP/1.1 connections whose handlers may ask [ClientWatch].
///
/// The web server keeps a connection's channel to itself but shows it once, when its options are
/// set; it is kept here under its remote address until the connection's own thread asks for it.
final class WatchedConnections implements ServerConnectionSelector {
  private final ServerConnectionSelector http =
      Http1ConnectionSelector.builder().config(Http1Config.create()).build();
  private final Map<SocketAddress, SocketChannel> accepted = new ConcurrentHashMap<>();

  /// Options of accepted sockets: the web server's own.
  SocketOptions options() {
    return new Options(SocketOptions.create(), this);
  }

  private void accept(SocketChannel channel) {
    accepted.values().removeIf(one -> !one.isOpen()); // ended before their first byte
    try {
      accepted.put(channel.getRemoteAddress(), channel);
    } catch (IOException e) {
      throw new UncheckedIOException(e); // the web server closes it
    }
  }

  @Override
  public int bytesToIdentifyConnection() {
    return http.bytesToIdentifyConnection();
  }

  @Override
  public Support supports(BufferData data) {
    return http.supports(data);
  }

  @Override
  public Set<String> supportedApplicationProtocols() {
    return http.supportedApplicationProtocols();
  }

  @Override
  public ServerConnection connection(ConnectionContext context) {
    SocketChannel channel = accepted.remove(context.remotePeer().address());
    return http.connection(
        channel == null
            ? context
            : new Watched(context, ClientWatch.begin(channel, context.dataReader())));
  }

  private record Watched(ConnectionContext inner, DataReader dataReader)
      implements ConnectionContext {
    @Override
    public ListenerContext listenerContext() {
      return inner.listenerContext();
    }

    @Override
    public ExecutorService executor() {
      return inner.executor();
    }

    @Override
    public DataWriter dataWriter() {
      return inner.dataWriter();
    }

    @Override
    public Router router() {
      return inner.router();
    }

    @Override
    public Optional<ProxyProtocolData> proxyProtocolData() {
      return inner.proxyProtocolData();
    }

    @Override
    public HelidonSocket serverSocket() {
      return inner.serverSocket();
    }

    @Override
    public PeerInfo remotePeer() {
      return inner.remotePeer();
    }

    @Override
    public PeerInfo localPeer() {
      return inner.localPeer();
    }

    @Override
    public boolean isSecure() {
      return inner.isSecure();
    }

    @Override
    public String socketId() {
      return inner.socketId();
    }

    @Override
    public String childSocketId() {
      return inner.childSocketId();
    }
  }

  private record Options(SocketOptions inner, WatchedConnections connections)
      implements SocketOptions {
    @Override
    public void configureSocket(SocketChannel channel) {
      inner.configureSocket(channel);
      connections.accept(channel);
    }

    @Override
    public void configureSocket(Socket socket) {
      inner.configureSocket(socket);
    }

    @Override
    public Map<SocketOption<?>, Object> socketOptions() {
      return inner.socketOptions();
    }

    @Override
    public Duration connectTimeout() {
      return inner.connectTimeout();
    }

    @Override
    public Duration readTimeout() {
      return inner.readTimeout();
    }

    @Override
    public Optional<Integer> socketReceiveBufferSize() {
      return inner.socketReceiveBufferSize();
    }

    @Override
    public Optional<Integer> socketSendBufferSize() {
      return inner.socketSendBufferSize();
    }

    @Override
    public boolean socketReuseAddress() {
      return inner.socketReuseAddress();
    }

    @Override
    public boolean socketKeepAlive() {
      return inner.socketKeepAlive();
    }

    @Override
    public boolean tcpNoDelay() {
      return inner.tcpNoDelay();
    }
  }
}
