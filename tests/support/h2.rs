//! The same answers over HTTP/2. What cannot be said there (raw bytes, endless headers) is a reset stream.

use super::delivery::{Delivery, End, Framing, Pieces, Stop, pause, wait};
use super::http::{Answer, Request, bodiless};
use super::log::Ticket;
use super::server::Service;
use bytes::{Bytes, BytesMut};
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use std::future::poll_fn;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};

/// Serves one connection until the client closes it; every request is answered by a task of its own.
pub async fn serve<S>(stream: S, service: &Arc<Service>, connection: usize) -> Result<(), h2::Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut incoming = h2::server::handshake(stream).await?;
    while let Some(next) = incoming.accept().await {
        let (request, respond) = next?;
        let service = Arc::clone(service);
        tokio::spawn(async move {
            // As over HTTP/1.1: the log says how far a client came that went away.
            let _ = exchange(request, respond, &service, connection).await;
        });
    }
    Ok(())
}

async fn exchange(
    request: ::http::Request<RecvStream>,
    respond: SendResponse<Bytes>,
    service: &Service,
    connection: usize,
) -> Result<(), h2::Error> {
    let request = read(request).await?;
    let ticket = service.log().begin(&request, connection);
    let answer = service.answer(request.clone());
    write(respond, &request, &answer, &ticket).await
}

async fn read(request: ::http::Request<RecvStream>) -> Result<Request, h2::Error> {
    let (head, mut stream) = request.into_parts();
    let mut body = BytesMut::new();
    while let Some(piece) = stream.data().await {
        let piece = piece?;
        stream.flow_control().release_capacity(piece.len())?;
        body.extend_from_slice(&piece);
    }
    let text = |value: &::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = head.headers.iter().map(|(name, value)| (name.to_string(), text(value)));
    let host = head.uri.authority().map(|host| ("host".to_owned(), host.to_string()));
    Ok(Request {
        version: "HTTP/2",
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: host.into_iter().chain(headers).collect(),
        body: body.freeze(),
    })
}

async fn write(
    mut respond: SendResponse<Bytes>,
    request: &Request,
    answer: &Answer,
    ticket: &Ticket,
) -> Result<(), h2::Error> {
    let delivery = &answer.delivery;
    wait(delivery).await;
    ticket.status(answer.status);
    if delivery.end == End::Unsaid(Stop::Stall) {
        poll_fn(|context| respond.poll_reset(context)).await?;
        return Ok(());
    }
    let (Some(head), true) = (head(answer), sayable(delivery)) else {
        respond.send_reset(Reason::INTERNAL_ERROR);
        return Ok(());
    };
    if bodiless(request, answer) {
        ticket.answered();
        respond.send_response(head, true)?;
        return Ok(());
    }
    let mut stream = respond.send_response(head, false)?;
    let mut pieces = Pieces::of(answer);
    while !pieces.at_last() {
        let Some(piece) = pieces.next() else { break };
        send(&mut stream, piece, ticket).await?;
        pause(delivery).await;
    }
    if let Some(piece) = pieces.next() {
        send(&mut stream, piece, ticket).await?;
    }
    finish(&mut stream, delivery, ticket).await
}

fn sayable(delivery: &Delivery) -> bool {
    delivery.raw.is_none() && !delivery.endless_headers && !matches!(delivery.end, End::Unsaid(_))
}

/// The head; `None` if a header is none that HTTP/2 can carry.
fn head(answer: &Answer) -> Option<::http::Response<()>> {
    let mut head = ::http::Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        head = head.header(name, value);
    }
    let length = match answer.delivery.framing {
        Framing::Length if answer.delivery.end != End::Never => Some(answer.body.len() as u64),
        Framing::Declared(length) => Some(length),
        _ => None,
    };
    if let Some(length) = length {
        head = head.header("content-length", length);
    }
    head.body(()).ok()
}

/// Sends a piece as fast as the client takes it.
async fn send(stream: &mut SendStream<Bytes>, mut piece: Bytes, ticket: &Ticket) -> Result<(), h2::Error> {
    while !piece.is_empty() {
        stream.reserve_capacity(piece.len());
        let Some(capacity) = poll_fn(|context| stream.poll_capacity(context)).await else {
            return Err(Reason::CANCEL.into());
        };
        let now = piece.split_to(capacity?.min(piece.len()));
        ticket.sent(now.len());
        stream.send_data(now, false)?;
    }
    Ok(())
}

async fn finish(stream: &mut SendStream<Bytes>, delivery: &Delivery, ticket: &Ticket) -> Result<(), h2::Error> {
    match delivery.end {
        End::After(_, Stop::Stall) => {
            poll_fn(|context| stream.poll_reset(context)).await?;
        }
        End::After(_, Stop::Reset) => stream.send_reset(Reason::INTERNAL_ERROR),
        _ => {
            ticket.answered();
            stream.send_data(Bytes::new(), true)?;
        }
    }
    Ok(())
}
