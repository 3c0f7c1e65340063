//! Every path in one table. Layers run from the last added to the first, that is, from the bottom of
//! each function up.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{DefaultBodyLimit, State},
    middleware::{self, Next},
    response::IntoResponse as _,
    routing::{delete, get, post, put},
};
use http::{HeaderValue, Method, Request, Response, Uri};
use mito_network::Problem;
use tower_http::cors::{AllowHeaders, AllowOrigin, Any, CorsLayer};

use crate::{
    Api, accounts, backups, batch,
    caller::{self, Caller, Known},
    collections, crons,
    envelope::{self, Envelope},
    fields, files, health, limits, logs, oauth2, panel, realtime, records, rules, settings, sql,
};

/// How long a browser may remember a preflight answer.
const CORS_MAX_AGE: Duration = Duration::from_hours(2);

/// Where a file of a record is.
const FILE: &str = "/files/{collection}/{record}/{filename}";

pub(crate) fn router(api: &Arc<Api>, contributed: Vec<(&'static str, Router)>) -> Router {
    Router::new()
        .route("/health", get(health::health))
        .route("/live", get(health::live))
        .route("/ready", get(health::ready))
        .nest("/api", public(api))
        .nest("/_mito/api", for_the_panel(api, contributed))
        .fallback(async || Problem::new(http::StatusCode::NOT_FOUND, "There is nothing here."))
        .with_state(Arc::clone(api))
}

/// What anybody may call with a bearer token. Cookies are never read here.
fn public(api: &Arc<Api>) -> Router<Arc<Api>> {
    Router::new()
        .route("/health", get(health::pocketbase))
        .route(FILE, get(files::serve))
        .merge(data())
        .merge(accounts::routes::public())
        .route(
            "/collections/{collection}/auth-with-oauth2",
            post(oauth2::sign_in),
        )
        .route(
            "/oauth2-redirect",
            get(oauth2::redirect).post(oauth2::redirect),
        )
        .fallback(envelope::no_route)
        .method_not_allowed_fallback(envelope::no_method)
        .layer(middleware::from_fn_with_state(Arc::clone(api), admit))
        .layer(cors(&api.config.allowed_origins))
}

/// What every public request goes through. One layer for all of it, since each layer of axum clones
/// those within for every request.
async fn admit(
    State(api): State<Arc<Api>>,
    mut request: Request<Body>,
    next: Next,
) -> Response<Body> {
    let known = Known::anonymous(&api, &request);
    let caller = match caller::by_bearer(&api, known, request.headers()).await {
        Ok(caller) => caller,
        Err(refused) => return refused.into_response(),
    };
    let asked = logs::Asked::of(&request, Some(caller.clone()));
    let names = limits::Names::of(&api, &request);
    let response = match check(&api, &caller, names, request.uri()).await {
        Ok(()) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(refused) => refused.into_response(),
    };
    asked.log(&api, &response);
    response
}

/// Who asks is known before it is counted: administrators are not.
async fn check(
    api: &Api,
    caller: &Caller,
    names: Option<limits::Names>,
    uri: &Uri,
) -> Result<(), Envelope> {
    if let Some(names) = names {
        limits::check(api, caller, names).await?;
    }
    fields::check(uri)
}

/// Collections and records, the same for clients and for the panel.
fn data() -> Router<Arc<Api>> {
    Router::new()
        .merge(accounts::routes::of_administrators())
        .route(
            "/realtime",
            get(realtime::connect).post(realtime::subscribe),
        )
        .route(
            "/collections",
            get(collections::list).post(collections::create),
        )
        .route("/settings", get(settings::view).patch(settings::update))
        .route("/backups", get(backups::list).post(backups::create))
        .route(
            "/backups/upload",
            // It goes to the disk, which has its own bound.
            post(backups::upload).layer(DefaultBodyLimit::disable()),
        )
        .route(
            "/backups/{key}",
            get(backups::download).delete(backups::delete),
        )
        .route("/backups/{key}/restore", post(backups::restore))
        .route("/rules/explain", post(rules::explain))
        .route("/sql", post(sql::run))
        .route("/logs", get(logs::list).delete(logs::clear))
        .route("/logs/stats", get(logs::stats))
        .route("/logs/{id}", get(logs::view))
        .route("/settings/test/email", post(settings::try_mail))
        .route("/settings/test/s3", post(settings::try_s3))
        .route("/crons", get(crons::list))
        .route("/crons/{id}", post(crons::run))
        .route("/collections/meta/oauth2-providers", get(oauth2::providers))
        .route(
            "/settings/apple/generate-client-secret",
            post(oauth2::apple_secret),
        )
        .route("/batch", post(batch::run))
        .route("/files/token", post(files::token))
        .route("/collections/import", put(collections::import))
        .route("/collections/meta/scaffolds", get(collections::scaffolds))
        .route(
            "/collections/meta/dry-run-view",
            post(collections::dry_run_view),
        )
        .route(
            "/collections/{collection}",
            get(collections::view)
                .patch(collections::update)
                .delete(collections::delete),
        )
        .route(
            "/collections/{collection}/truncate",
            delete(collections::truncate),
        )
        .route(
            "/collections/{collection}/records",
            get(records::list).post(records::create),
        )
        .route(
            "/collections/{collection}/records/{id}",
            get(records::view)
                .patch(records::update)
                .delete(records::delete),
        )
}

/// What the panel calls with its cookie.
fn for_the_panel(api: &Arc<Api>, contributed: Vec<(&'static str, Router)>) -> Router<Arc<Api>> {
    let sessions = Router::new()
        .route(
            "/session",
            get(panel::session::show)
                .post(panel::session::sign_in)
                .delete(panel::session::end),
        )
        .route("/session/otp", post(panel::session::otp))
        .route("/session/code", post(panel::session::code))
        .route("/session/exchange", post(panel::session::exchange))
        .route("/setup", post(panel::session::set_up));
    let mut guarded = data().route(FILE, get(files::serve_to_panel));
    for (name, routes) in contributed {
        guarded = guarded.nest_service(&format!("/{name}"), routes);
    }
    let guarded = guarded.layer(middleware::from_fn(panel::guard::administrators_only));
    sessions
        .nest("/public", accounts::routes::mailed())
        .merge(guarded)
        .fallback(panel::no_route)
        .method_not_allowed_fallback(panel::no_method)
        .layer(middleware::from_fn_with_state(
            Arc::clone(api),
            logs::record,
        ))
        // The cookie is read first, since the CSRF token belongs to its session.
        .layer(middleware::from_fn_with_state(
            Arc::clone(api),
            panel::guard::by_cookie,
        ))
}

/// Any header may be sent: browsers do not count `Authorization` among `*` (Fetch, §3.3.4), so the
/// asked-for names are answered. Credentials are never allowed, as there are no cookies here.
fn cors(origins: &[String]) -> CorsLayer {
    let layer = CorsLayer::new()
        .allow_methods([
            Method::GET,
            Method::HEAD,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ])
        .allow_headers(AllowHeaders::mirror_request())
        .max_age(CORS_MAX_AGE);
    if origins.iter().any(|origin| origin == "*") {
        return layer.allow_origin(Any);
    }
    let origins = origins
        .iter()
        .filter_map(|origin| HeaderValue::from_str(origin).ok());
    layer.allow_origin(AllowOrigin::list(origins))
}
