//! Three addresses for whoever keeps the loop running: /healthz, /readyz, /metrics.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::life::Life;
use crate::cli::CommandError;
use crate::cli::output::Output;

/// What `prometheus_client` writes, which Prometheus reads.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Open while it is kept.
pub(super) struct Door {
    task: JoinHandle<()>,
}

impl Drop for Door {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Door {
    pub(super) async fn open(
        address: SocketAddr,
        life: Arc<Life>,
        out: &Output,
    ) -> Result<Self, CommandError> {
        let failed = |source| CommandError::failed(format!("listening on {address}"), source);
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        out.say(&format!("listening on http://{}", listener.local_addr().map_err(failed)?));
        let router = Router::new()
            .route("/healthz", get(healthz))
            .route("/readyz", get(readyz))
            .route("/metrics", get(metrics))
            .with_state(life);
        let task = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::warn!(%error, "nobody is answered any more");
            }
        });
        Ok(Self { task })
    }
}

async fn healthz(State(life): State<Arc<Life>>) -> Response {
    if life.is_alive() {
        "alive\n".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "stuck\n").into_response()
    }
}

async fn readyz(State(life): State<Arc<Life>>) -> Response {
    match life.is_ready() {
        Ok(()) => "ready\n".into_response(),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response(),
    }
}

async fn metrics(State(life): State<Arc<Life>>) -> Response {
    match life.metrics() {
        Ok(text) => ([(CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(error) => {
            tracing::warn!(%error, "metrics could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
