// `sctrace serve`: a trace for a browser, Prometheus and scripts, while it grows.
#include <fmt/format.h>
#include <sys/random.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <stdexcept>

#include "formats/cli/http.h"
#include "formats/cli/processes.h"
#include "formats/cli/serve_answers.h"
#include "formats/cli/verbs.h"
#include "formats/cli/watch.h"

namespace sctrace::cli {

namespace {

struct Wish {
  std::string subject, address = "127.0.0.1", token;
  uint16_t port = 0;
};

std::string random_token() {
  unsigned char bytes[16];
  if (::getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
    throw std::runtime_error("no random numbers to be had for a token");
  std::string text;
  for (const unsigned char one : bytes) text += fmt::format("{:02x}", one);
  return text;
}

// As long for a wrong one as for the right one.
bool is_same(const std::string& a, const std::string& b) {
  unsigned differs = a.size() != b.size();
  for (size_t n = 0; n < a.size(); ++n)
    differs |= static_cast<unsigned>(a[n] ^ b[b.empty() ? 0 : n % b.size()]);
  return differs == 0;
}

bool has_token(const Request& request, const std::string& token) {
  const auto asked = request.query.find("token");
  if (asked != request.query.end()) return is_same(asked->second, token);
  const auto header = request.headers.find("authorization");
  return header != request.headers.end() && is_same(header->second, "Bearer " + token);
}

std::string in_url(const std::string& address) {
  return address.find(':') == std::string::npos ? address : "[" + address + "]";
}

// A page of somebody else's, whose name was made to mean this machine, sends its own name.
bool names_this_machine(const std::string& host, const std::string& address) {
  const size_t from = host.starts_with('[') ? std::min(host.find(']'), host.size()) : 0;
  const std::string name = host.substr(0, host.find(':', from));
  return name == "localhost" || name == "127.0.0.1" || name == "[::1]" || name == in_url(address);
}

std::string url_of(const Wish& wish, const HttpServer& server) {
  return fmt::format("http://{}:{}/{}", in_url(wish.address), server.port(),
                     wish.token.empty() ? "" : "?token=" + wish.token);
}

int serve(Wish& wish) {
  ServedTrace trace(trace_meant(wish.subject).trace);
  HttpServer server(wish.address, wish.port);
  if (!server.is_loopback() && wish.token.empty()) wish.token = random_token();
  fmt::print("sctrace: serving {} at {}\n", trace.name(), url_of(wish, server));
  if (std::fflush(stdout) != 0) throw std::runtime_error("output cannot be written");
  catch_interrupts();
  const auto answer = [&](const Request& request) {
    if (server.is_loopback() && !names_this_machine(request.headers.at("host"), wish.address))
      return refusal(403, "this Host is not served");
    if (!wish.token.empty() && !has_token(request, wish.token)) {
      Answer refused = refusal(401, "the token is missing or wrong");
      refused.headers["WWW-Authenticate"] = "Bearer";
      return refused;
    }
    try {
      return trace.answer(request);
    } catch (const std::exception& error) {
      return refusal(500, error.what());
    }
  };
  server.run(answer, interrupted);
  return 0;
}

}  // namespace

int verb_serve(int argc, char** argv) {
  CLI::App app(
      "Serves a trace until it is interrupted, and as that grows: / is the page of `report`, "
      "/metrics is for Prometheus, /api/summary[?by=KEY], /api/info and "
      "/api/calls[?trace=SET&filter=EXPR&limit=N] answer with JSON, as summary, info and print "
      "do.");
  Wish wish;
  app.add_option(
      "WHAT", wish.subject,
      "trace directory (default: the newest sctrace-* here), or pid or name of a running "
      "program\nOf a program all is served that is in its trace, other processes too.");
  app.add_option("--port", wish.port, "where to listen; 0: a free one, which is said (0)")
      ->type_name("N");
  app.add_option("--listen", wish.address,
                 "another address than 127.0.0.1; then a token is wanted\n"
                 "A numeric one. Nothing is encrypted: across a network, ssh -L is better.")
      ->type_name("ADDR");
  app.add_option("--token", wish.token,
                 "want this of who asks, in ?token= or in a header\n"
                 "`Authorization: Bearer TOKEN`. For another address than this machine's own, one "
                 "is made up where none is given, and is in the URL that is printed. Letters, "
                 "digits, - . _ and ~.")
      ->type_name("TOKEN");
  if (const auto status = parse(app, argc, argv)) return *status;
  const bool given = app.count("--token") != 0;
  constexpr const char allowed[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  if (given && (wish.token.empty() || wish.token.find_first_not_of(allowed) != wish.token.npos)) {
    fmt::print(stderr, "sctrace serve: a token has letters, digits, - . _ and ~\n");
    return 2;
  }
  return serve(wish);
}

}  // namespace sctrace::cli
